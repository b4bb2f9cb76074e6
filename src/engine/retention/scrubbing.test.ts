import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { DAY_MS, MINUTE_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { NewEvent } from '#model/event.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { Scrubbing } from './scrubbing.ts'

const accountId = '花子' as AccountId
const MIB = 1024 * 1024

async function bench(texts: readonly string[]) {
  const store = new FakeMailboxStore()
  const events: NewEvent[] = []
  const reads: number[] = []
  for (const text of texts)
    await store.commit({
      contents: [{ octets: [fromUtf8(text)] }],
      commits: [
        {
          accountId,
          changes: [
            {
              kind: 'append',
              mailbox: { path: ['Archive'], create: false },
              content: 0,
              flags: 0,
              keywords: [],
              internalDateMs: 0,
            },
          ],
        },
      ],
    })
  const scrubbing = new Scrubbing({
    mailboxes: {
      scrub: async (ask) => {
        const step = await store.scrub(ask)
        reads.push(step.bytes)
        return step
      },
    },
    clock: store.clock,
    log: memoryLog(),
    events: { emit: (event) => events.push(event) },
  })
  /** Lets a minute go by, and what falls due come to its end. */
  const minute = async (): Promise<number> => {
    reads.length = 0
    store.clock.advance(MINUTE_MS)
    for (let turn = 0; turn < 400; turn++) await new Promise(setImmediate)
    return reads.reduce((sum, bytes) => sum + bytes, 0)
  }
  const told = (): string[] => events.map(({ name, fields }) => `${name} ${JSON.stringify(fields)}`)
  return { store, scrubbing, minute, told }
}

test('each damaged message is an event, once, with where people see it', async () => {
  const { store, scrubbing, minute, told } = await bench(['一つめ', '二つめ', '三つめ'])
  store.blobs.rot('content', '二つめ')
  await minute()
  const event = 'store.damaged {"accountId":"花子","mailbox":"Archive","uid":2,"isExpunged":false}'
  assert.deepEqual(told(), [event])
  store.clock.advance(29 * DAY_MS)
  for (let n = 0; n < 3; n++) await minute()
  assert.deepEqual(told(), [event])
  await scrubbing.close()
  await store.close()
})

test('a minute reads its share in however many steps the store makes of it', async () => {
  const { store, scrubbing, minute } = await bench(['一つめ', '二つめ', '三つめ'])
  const monotonicMs = store.clock.monotonicMs.bind(store.clock)
  let waitedMs = 0
  store.clock.monotonicMs = () => monotonicMs() + (waitedMs += 1_000)
  assert.ok((await minute()) > 0)
  assert.equal(await minute(), 0, 'the next round is next month')
  await scrubbing.close()
  await store.close()
})

test('a minute reads its share and no more, and a disk that fails for a time loses none of it', async () => {
  const text = '会議'.repeat(150_000)
  const { store, scrubbing, minute } = await bench(
    Array.from({ length: 12 }, (_, n) => `${n}${text}`),
  )
  const first = await minute()
  assert.ok(first >= 4 * MIB && first < 6 * MIB, String(first))
  store.fault = new Fault('stalled', 'ディスクが答えない')
  assert.equal(await minute(), 0)
  store.fault = undefined
  let all = first
  for (let n = 0; n < 5; n++) all += await minute()
  assert.ok(all >= 12 * Buffer.byteLength(text), String(all))
  assert.equal(await minute(), 0, 'the next round is next month')
  await scrubbing.close()
  await store.close()
})
