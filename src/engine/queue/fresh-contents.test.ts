import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { parseAddress } from '#model/address.ts'
import type { Accept, QueueId, SpoolStore } from '#store/spool/spool-store.ts'
import { withFreshContents } from './fresh-contents.ts'

const HANAKO = parseAddress('hanako@campus.example')
const TEXT = '件名: 会議\r\n\r\n水曜日です。\r\n'

/** A spool that only counts what is read from its disk. */
function diskSpool(): { readonly spool: SpoolStore; readonly read: string[] } {
  const read: string[] = []
  let last = 0
  const spool = {
    accept: () => Promise.resolve({ queueId: `Q${++last}` as QueueId }),
    read: ({ queueId }: { queueId: QueueId }) => {
      read.push(queueId)
      return Promise.resolve({ octets: fromUtf8('from the disk') })
    },
    settle: () => Promise.resolve({ queued: [] }),
    act: () => Promise.resolve({ changed: 1 }),
    status: () => Promise.resolve({ messages: last }),
  }
  return { spool: spool as unknown as SpoolStore, read }
}

const letter = (content: Accept['content'], hold?: string): Accept =>
  ({
    content,
    recipients: [{ address: HANAKO, ...(hold !== undefined && { hold }) }],
  }) as unknown as Accept
const inMemory = (...parts: string[]): Accept => letter({ octets: parts.map(fromUtf8) })

test('what was just taken is read from memory, any part of it, until it is settled', async () => {
  const { spool, read } = diskSpool()
  const fresh = withFreshContents(spool)
  const { queueId } = await fresh.accept(inMemory('Received: x\r\n', TEXT))
  const whole = fromUtf8(`Received: x\r\n${TEXT}`)
  const all = await fresh.read({ queueId, offset: 0, length: 1_000 })
  assert.deepEqual(Buffer.from(all.octets), Buffer.from(whole))
  const some = await fresh.read({ queueId, offset: 5, length: 20 })
  assert.deepEqual(Buffer.from(some.octets), Buffer.from(whole.subarray(5, 25)))
  assert.deepEqual(read, [])
  await fresh.settle({
    settlements: [{ queueId, index: 0, kind: 'held', reason: '確認待ち' }],
    dsns: [],
  })
  await fresh.read({ queueId, offset: 0, length: 1 })
  assert.deepEqual(read, [queueId])
})

test('an act of the administrator, held mail, large files and a full memory leave it to the disk', async () => {
  const { spool, read } = diskSpool()
  const fresh = withFreshContents(spool, 100)
  const acted = (await fresh.accept(inMemory('a'))).queueId
  await fresh.act({ queueId: acted, act: 'hold', nowMs: 0 })
  const held = (await fresh.accept(letter({ octets: [fromUtf8('a')] }, 'spam'))).queueId
  const large = (await fresh.accept(letter({ large: 1, prefix: fromUtf8('a') } as never))).queueId
  const first = (await fresh.accept(inMemory('x'.repeat(60)))).queueId
  const tooMuch = (await fresh.accept(inMemory('y'.repeat(60)))).queueId
  for (const queueId of [acted, held, large, first, tooMuch])
    await fresh.read({ queueId, offset: 0, length: 1 })
  assert.deepEqual(read, [acted, held, large, tooMuch])
  assert.equal((await fresh.status()).messages, 5, 'all else is the spool itself')
})
