import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, test } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { formatAddress } from '#model/address.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { DAY_MS, FakeClock } from '#base/time.ts'
import type { DeliveryId } from '#model/envelope.ts'
import { openDatabase } from '#store/db/database.ts'
import { openSpool } from './open.ts'
import type { OpenSpool } from './open.ts'
import { formatQueueId, parseQueueId, QueueNumbers } from './queue-id.ts'
import { SPOOL_MIGRATIONS } from './rows.ts'
import { letter, spoolContract } from './spool.contract.ts'
import { TAKEN_DAYS } from './taken.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-spool-'))
after(() => rmSync(root, { recursive: true, force: true }))
const folder = (): string => mkdtempSync(join(root, 'v-'))
const clock = new FakeClock()

spoolContract('sqlite', async () => {
  const dir = folder()
  let spool = await openSpool({ dir, clock, reserveBytes: 0 })
  return {
    store: spool,
    async restart() {
      await spool.close()
      spool = await openSpool({ dir, clock, reserveBytes: 0 })
      return spool
    },
    end: () => spool.close(),
  }
})

describe('spool on a disk', () => {
  let spool: OpenSpool | undefined
  afterEach(async () => {
    armFailpoints('')
    await spool?.close()
  })
  const end = async (
    queueId: Awaited<ReturnType<OpenSpool['accept']>>['queueId'],
  ): Promise<void> => {
    await spool!.settle({
      settlements: [{ queueId, index: 0, kind: 'delivered', status: '250 ok' }],
      dsns: [],
    })
  }

  test('deletes a segment when its last message has gone', async () => {
    const dir = folder()
    const ids = []
    for (let start = 0; start < 2; start++) {
      spool = await openSpool({ dir, clock, reserveBytes: 0 })
      ids.push((await spool.accept(letter())).queueId, (await spool.accept(letter())).queueId)
      await spool.close()
    }
    spool = await openSpool({ dir, clock, reserveBytes: 0 })
    const segments = (): string[] => readdirSync(join(dir, 'seg')).toSorted()
    assert.equal(segments().length, 3)
    await end(ids[0]!)
    assert.equal(segments().length, 3)
    await end(ids[1]!)
    assert.deepEqual(segments(), ['00000002.seg', '00000003.seg'])
    await end(ids[2]!)
    await end(ids[3]!)
    assert.deepEqual(segments(), ['00000003.seg'])
  })

  test('moves what is left out of nearly empty segments, and reads it from there', async () => {
    const dir = folder()
    const time = new FakeClock()
    const left = []
    for (let start = 0; start < 5; start++) {
      spool = await openSpool({ dir, clock: time, reserveBytes: 0 })
      left.push((await spool.accept(letter())).queueId)
      const { queueId } = await spool.accept(letter())
      time.advance(11_000)
      // The last end of each start may empty one segment.
      await end(queueId)
      await spool.close()
    }
    spool = await openSpool({ dir, clock: time, reserveBytes: 0 })
    // 1 and 2 were emptied by the fourth and fifth start, when there were four segments.
    assert.deepEqual(
      readdirSync(join(dir, 'seg')).toSorted(),
      [3, 4, 5, 6].map((number) => `0000000${number}.seg`),
    )
    const found = []
    for (const queueId of left) {
      const { octets } = await spool.read({ queueId, offset: 0, length: 1_000 })
      found.push(toUtf8(octets).includes('会議のお知らせ'))
    }
    assert.deepEqual(found, [true, true, true, true, true])
    assert.equal((await spool.status()).messages, 5)
  })

  test('answers full below the reserve, and still settles with a DSN', async () => {
    const dir = folder()
    spool = await openSpool({ dir, clock, reserveBytes: 0 })
    const { queueId } = await spool.accept(letter())
    await spool.close()
    spool = await openSpool({ dir, clock, reserveBytes: Number.MAX_SAFE_INTEGER })
    await assert.rejects(spool.accept(letter()), (thrown) => isFault(thrown, 'full'))
    await assert.rejects(spool.openLarge(), (thrown) => isFault(thrown, 'full'))
    assert.equal((await spool.status()).full, true)
    const done = await spool.settle({
      settlements: [{ queueId, index: 0, kind: 'failed', status: '550' }],
      dsns: [letter()],
    })
    assert.equal(done.queued.length, 1)
  })

  test('forgets the ids of entries after some weeks, a few with each new one', async () => {
    spool = await openSpool({ dir: folder(), clock, reserveBytes: 0 })
    const take = async (id: string, days: number): Promise<string> => {
      const receivedAtMs = letter().receivedAtMs + days * DAY_MS
      const more = { door: 'outbox', deliveryId: id as DeliveryId, receivedAtMs } as const
      return (await spool!.accept(letter(undefined, more))).queueId
    }
    const firsts = [await take('a', 0), await take('b', 1), await take('c', TAKEN_DAYS)]
    assert.equal(await take('a', TAKEN_DAYS), firsts[0])
    await take('d', TAKEN_DAYS + 0.5)
    assert.notEqual(await take('a', TAKEN_DAYS + 0.5), firsts[0])
    assert.equal(await take('b', TAKEN_DAYS + 0.5), firsts[1])
    assert.equal(await take('c', TAKEN_DAYS + 0.5), firsts[2])
  })

  test('looks at a bounded number of messages for a page, and says where the next begins', async () => {
    spool = await openSpool({ dir: folder(), clock, reserveBytes: 0, lookedAtMax: 1_000 })
    const at = [...Array(1_200).keys()]
    const names = at.map((i) => [{ address: { localpart: `利用者${i}`, domain: 'a.example' } }])
    const accepted = await Promise.all(names.map((to) => spool!.accept(letter(to))))
    const ids = accepted.map(({ queueId }) => queueId)
    const rare = { address: { localpart: '最後', domain: 'a.example' }, hold: '疑い' }
    const { queueId: last } = await spool.accept(letter([rare]))
    for (const address of ['最後@', 'nowhere.example']) {
      const first = await spool.list({ limit: 5, address })
      assert.deepEqual(first, { messages: [], next: ids[999] }, 'none that it looked at')
      const second = await spool.list({ limit: 5, address, after: ids[999]! })
      assert.deepEqual(
        second.messages.map(({ queueId }) => queueId),
        address === '最後@' ? [last] : [],
      )
      assert.equal(second.next, undefined)
    }
    const held = await spool.list({ limit: 1, state: 'held' })
    assert.deepEqual([held.messages[0]?.queueId, held.next], [last, undefined], 'by an index')
    const page = await spool.list({ limit: 700 })
    assert.deepEqual([page.messages.length, page.next], [700, ids[699]])
    for (const state of ['claimed', 'delivered', 'failed', 'dropped'] as const)
      assert.deepEqual(await spool.list({ limit: 5, state }), { messages: [] })
    const two = { ...rare, hold: '二人' }
    const { queueId } = await spool.accept(letter([two, two]))
    await end(queueId)
    for (const address of ['最後@', undefined]) {
      const filter = { limit: 5, state: 'delivered', ...(address !== undefined && { address }) }
      const { messages } = await spool.list(filter as Parameters<OpenSpool['list']>[0])
      assert.deepEqual([messages.length, messages[0]?.queueId], [1, queueId])
    }
  })

  test('opens a queue of its first version, with what waits in it', async () => {
    const dir = folder()
    const old = openDatabase({
      path: join(dir, 'spool.db'),
      kind: 'spool',
      migrations: SPOOL_MIGRATIONS.slice(0, 1),
    })
    const { content: _, recipients, ...meta } = letter()
    old.transaction(() => {
      old.query('INSERT INTO message VALUES (1, ?, 0, 1, 0, 9)').run(JSON.stringify(meta))
      for (const [place, { address }] of recipients.entries())
        old
          .query('INSERT INTO recipient VALUES (1, ?, 0, 0, 0, 0, ?, NULL, NULL, NULL, NULL)')
          .run(place, formatAddress(address))
    })
    old.close()
    spool = await openSpool({ dir, clock, reserveBytes: 0 })
    const [message] = (await spool.list({ limit: 9 })).messages
    assert.equal(message?.recipients[0]?.address.localpart, 'hanako')
    const entry = letter(undefined, { door: 'outbox' })
    assert.deepEqual(await spool.accept(entry), await spool.accept(entry))
  })

  test('a failed write refuses the message with io and takes the next one elsewhere', async () => {
    const dir = folder()
    spool = await openSpool({ dir, clock, reserveBytes: 0 })
    armFailpoints('spool.written=throw')
    await assert.rejects(spool.accept(letter()), (thrown) => isFault(thrown, 'io'))
    assert.equal((await spool.status()).messages, 0)
    armFailpoints('')
    await spool.accept(letter())
    assert.equal((await spool.status()).messages, 1)
  })

  test('a large file whose commit fails is deleted', async () => {
    const dir = folder()
    spool = await openSpool({ dir, clock, reserveBytes: 0 })
    const { handle } = await spool.openLarge()
    const twice = { address: { localpart: 'a', domain: 'b' } }
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    await assert.rejects(
      spool.accept(
        letter([twice], {
          content: { prefix: fromUtf8(''), large: handle },
          verdict: circular as never,
        }),
      ),
      TypeError,
    )
    assert.deepEqual(readdirSync(join(dir, 'large')), [])
    const { messages, recipients } = await spool.status()
    assert.deepEqual([messages, recipients.ready], [0, 0])
  })
})

describe('queue ids', () => {
  test('come back as the number, sort as it does, and never repeat when the clock jumps back', () => {
    const numbers = new QueueNumbers(0)
    const now = Date.UTC(2026, 10, 25)
    const made = [now, now, now - 86_400_000, now + 1, 0].map((at) => numbers.next(at))
    assert.equal(new Set(made).size, made.length)
    assert.deepEqual(
      made,
      made.toSorted((a, b) => a - b),
    )
    const ids = made.map(formatQueueId)
    assert.deepEqual(ids, ids.toSorted())
    assert.deepEqual(ids.map(parseQueueId), made)
    for (const bad of [
      '',
      'X',
      '!!!!!!!!!!!',
      'ZZZZZZZZZZZ',
      '00000000000\n',
      '日本語日本語日本語日本',
    ])
      assert.equal(parseQueueId(bad), undefined)
  })
})
