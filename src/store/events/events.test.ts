import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { DAY_MS, FakeClock, MINUTE_MS } from '#base/time.ts'
import type { EventRecord, NewEvent, NodeId } from '#model/event.ts'
import { EventBuffer } from './event-buffer.ts'
import { SqliteEventIndex } from './event-index.ts'
import type { EventBatch, TraceBy } from './event-index.ts'
import { SqliteEventLog } from './event-log.ts'

const node = 'gateway-1' as NodeId
let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watari-events-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const event = (name: string, more: Partial<NewEvent> = {}): NewEvent => ({
  atMs: 1_000,
  name,
  fields: {},
  ...more,
})
const record = (seq: number, more: Partial<EventRecord> = {}): EventRecord => ({
  node,
  seq,
  atMs: seq,
  name: 'queue.delivered',
  fields: {},
  ...more,
})

/** One node's batch, alone in its commit. */
async function put(
  index: SqliteEventIndex,
  { nowMs, ...batch }: EventBatch & { readonly nowMs: number },
): Promise<{ readonly acked: number }> {
  const { acked } = await index.put({ batches: [batch], nowMs })
  assert.equal(acked.length, 1)
  return { acked: acked[0]! }
}

describe('the log of a node', () => {
  test('numbers without gaps over a restart, and forgets what control has', async () => {
    const path = join(folder, 'log.db')
    const first = new SqliteEventLog({ path, node })
    await first.append({
      events: [event('a', { deliveryId: 'd1', fields: { subject: '会議', n: 1 } }), event('b')],
    })
    const { epoch } = await first.since({ after: 0, limit: 10 })
    await first.ack({ epoch, seq: 1 })
    await first.ack({ epoch: 'another', seq: 2 })
    first.close()
    const second = new SqliteEventLog({ path, node })
    assert.deepEqual(await second.append({ events: [event('c')] }), { seq: 3 })
    const { records, ...rest } = await second.since({ after: 0, limit: 10 })
    assert.equal(rest.epoch, epoch)
    assert.deepEqual(
      records.map(({ seq, name }) => [seq, name]),
      [
        [2, 'b'],
        [3, 'c'],
      ],
    )
    await second.ack({ epoch, seq: 3 })
    second.close()
    const third = new SqliteEventLog({ path, node })
    assert.deepEqual(
      await third.append({ events: [event('d')] }),
      { seq: 4 },
      'also when all were shipped',
    )
    third.close()
  })

  test('over the quota the oldest go, and are counted', async () => {
    const log = new SqliteEventLog({ path: join(folder, 'quota.db'), node, rowsMax: 10 })
    await log.append({ events: Array.from({ length: 12 }, (_, i) => event(`e${i}`)) })
    const { records } = await log.since({ after: 0, limit: 100 })
    const { lost, waiting, seq } = await log.status()
    assert.equal(seq, 12)
    assert.equal(lost + waiting, 12)
    assert.ok(waiting <= 10 && waiting >= 5)
    assert.equal(records.at(-1)?.name, 'e11')
    log.close()
  })
})

describe('the buffer of a node', () => {
  test('hands facts over in batches; what storage refuses is counted and told', async () => {
    const clock = new FakeClock()
    const trouble = memoryLog()
    const batches: (readonly NewEvent[])[] = []
    let isBroken = true
    let flushed = 0
    const buffer = new EventBuffer({
      clock,
      trouble,
      onFlushed: () => flushed++,
      log: {
        append: async ({ events }) => {
          if (isBroken) throw new Error('EIO')
          batches.push(events)
          return { seq: 0 }
        },
        since: () => Promise.reject(new Error('unused')),
        ack: () => Promise.reject(new Error('unused')),
        status: () => Promise.reject(new Error('unused')),
      },
    })
    buffer.emit(event('one'))
    buffer.emit(event('two'))
    await buffer.flush()
    assert.deepEqual(
      trouble.lines.map(({ fields }) => fields['count']),
      [2],
    )
    isBroken = false
    buffer.emit(event('three'))
    clock.advance(1_000)
    await buffer.flush()
    assert.deepEqual(
      batches.flat().map(({ name, fields }) => [name, fields['count']]),
      [
        ['three', undefined],
        ['events.lost', 2],
      ],
    )
    assert.ok(flushed >= 1)
  })
})

describe('the index of control', () => {
  test('finds a message by delivery id, Message-ID and address, in the order of time', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'index.db') })
    await put(index, {
      node,
      epoch: 'e',
      nowMs: 5,
      records: [
        record(1, {
          name: 'receive.accepted',
          deliveryId: 'D1',
          fields: {
            messageId: '<渡り@campus.example>',
            from: 'taro@example.org',
            to: 'Hanako@campus.example, 次郎@campus.example',
          },
        }),
        record(2, {
          name: 'queue.delivered',
          deliveryId: 'D1',
          fields: { recipient: 'hanako@campus.example' },
        }),
        record(3, {
          name: 'receive.accepted',
          deliveryId: 'D2',
          fields: { messageId: '<other@x>', to: 'hanako@campus.example' },
        }),
        record(4, { name: 'node.started' }),
      ],
    })
    await put(index, {
      node: 'store-1' as NodeId,
      epoch: 's',
      nowMs: 6,
      records: [
        {
          ...record(1, {
            name: 'store.filed',
            deliveryId: 'D1',
            atMs: 9,
            fields: { mailbox: 'INBOX' },
          }),
          node: 'store-1' as NodeId,
        },
      ],
    })
    const byId = await index.trace({ by: { kind: 'deliveryId', deliveryId: 'D1' }, limit: 10 })
    assert.deepEqual(
      byId.items[0]?.events.map(({ name }) => name),
      ['receive.accepted', 'queue.delivered', 'store.filed'],
    )
    assert.deepEqual(
      await index.trace({ by: { kind: 'messageId', messageId: '渡り@campus.example' }, limit: 10 }),
      byId,
    )
    const byAddress = await index.trace({
      by: { kind: 'address', address: 'HANAKO@Campus.Example' },
      limit: 10,
    })
    assert.deepEqual(
      byAddress.items.map(({ deliveryId }) => deliveryId),
      ['D2', 'D1'],
    )
    assert.deepEqual(
      await index.trace({ by: { kind: 'address', address: '次郎@campus.example' }, limit: 10 }),
      byId,
    )
    for (const by of [
      { kind: 'address', address: 'nobody' },
      { kind: 'messageId', messageId: '' },
      { kind: 'deliveryId', deliveryId: 'D9' },
    ] as const)
      assert.deepEqual(await index.trace({ by, limit: 10 }), { items: [] })
    const latest = await index.latest({ limit: 2 })
    assert.deepEqual(
      latest.items.map(({ name }) => name),
      ['store.filed', 'node.started'],
    )
    index.close()
  })

  test('of an address that stands everywhere the latest deliveries come, each once', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'everywhere.db') })
    const events = [...Array(300).keys()].map((i) =>
      record(i + 1, { deliveryId: `D${i % 100}`, fields: { from: '係@campus.example' } }),
    )
    await put(index, { node, epoch: 'e', nowMs: 9, records: events })
    const by = { kind: 'address', address: '係@campus.example' } as const
    const { items } = await index.trace({ by, limit: 3 })
    assert.deepEqual(
      items.map(({ deliveryId, events: found }) => [deliveryId, found.length]),
      [
        ['D99', 3],
        ['D98', 3],
        ['D97', 3],
      ],
    )
    assert.equal((await index.trace({ by, limit: 1_000 })).items.length, 100)
    index.close()
  })

  test('of a mail to many the whole way is told, and by an address what concerns that one', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'many.db') })
    const members = 10_000
    const of = (name: string, fields: EventRecord['fields'], seq: number) =>
      record(seq, { name, deliveryId: 'D1', atMs: seq, fields })
    const records = [
      of('store.posted', { from: '係@campus.example' }, 1),
      ...['store.filed', 'queue.delivered'].flatMap((name, at) =>
        Array.from({ length: members }, (_, i) =>
          of(name, { recipient: `user${i}@campus.example` }, 2 + at * members + i),
        ),
      ),
    ]
    await put(index, { node, epoch: 'e', nowMs: 9, records })
    const named = async (by: TraceBy) => {
      const { items } = await index.trace({ by, limit: 10 })
      const names = Object.groupBy(items[0]!.events, ({ name }) => name)
      const counts = Object.entries(names).map(([name, of]) => [name, of?.length])
      return [...counts, items[0]!.left]
    }
    assert.deepEqual(await named({ kind: 'deliveryId', deliveryId: 'D1' }), [
      ['store.posted', 1],
      ['store.filed', members],
      ['queue.delivered', members],
      undefined,
    ])
    assert.deepEqual(await named({ kind: 'address', address: 'user77@campus.example' }), [
      ['store.posted', 1],
      ['store.filed', 1],
      ['queue.delivered', 1],
      2 * members - 2,
    ])
    index.close()
  })

  test('goes on with what a delivery sent on; within one millisecond in the order of the way', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'way.db') })
    const at = (seq: number, name: string, deliveryId: string, atMs: number) =>
      record(seq, { name, deliveryId, atMs, fields: { messageId: `<${deliveryId}@x>` } })
    await put(index, {
      node,
      epoch: 'e',
      nowMs: 9,
      records: [
        at(1, 'queue.delivered', 'D1', 5),
        at(2, 'store.filed', 'D1', 5),
        at(3, 'receive.accepted', 'D1', 5),
        at(4, 'store.filed', 'D1-22', 6),
        at(5, 'store.filed', 'D1-11', 7),
        at(6, 'store.filed', 'D1-11-33', 8),
        at(7, 'store.filed', 'D10', 9),
      ],
    })
    const by = { kind: 'messageId', messageId: '<D1@x>' } as const
    const { items } = await index.trace({ by, limit: 10 })
    assert.deepEqual(
      items.map(({ deliveryId }) => deliveryId),
      ['D1', 'D1-22', 'D1-11', 'D1-11-33'],
    )
    assert.deepEqual(
      items[0]?.events.map(({ name }) => name),
      ['receive.accepted', 'store.filed', 'queue.delivered'],
    )
    index.close()
  })

  test('known numbers are passed over, gaps recorded, and a new log of a node starts at 1', async () => {
    const path = join(folder, 'gaps.db')
    const first = new SqliteEventIndex({ path })
    assert.deepEqual(
      await put(first, { node, epoch: 'a', nowMs: 1, records: [record(1), record(2)] }),
      { acked: 2 },
    )
    first.close()
    const index = new SqliteEventIndex({ path })
    assert.deepEqual(
      await put(index, { node, epoch: 'a', nowMs: 2, records: [record(2), record(3)] }),
      { acked: 3 },
    )
    assert.deepEqual((await index.gaps({ limit: 10 })).items, [])
    assert.deepEqual(
      await put(index, { node, epoch: 'a', nowMs: 3, records: [record(7), record(8)] }),
      { acked: 8 },
    )
    assert.deepEqual(await put(index, { node, epoch: 'b', nowMs: 4, records: [record(1)] }), {
      acked: 1,
    })
    assert.deepEqual((await index.gaps({ limit: 10 })).items, [
      { node, epoch: 'a', from: 4, to: 6, foundAtMs: 3 },
    ])
    assert.equal((await index.latest({ limit: 100 })).items.length, 6)
    index.close()
  })

  test('counts what has happened since a minute, by name and verdict, beyond the quota', async () => {
    const path = join(folder, 'counts.db')
    const index = new SqliteEventIndex({ path, rowsMax: 10 })
    const minute = (n: number): number => 1_000 * DAY_MS + n * MINUTE_MS
    const fields = [
      { class: 'clean', virus: 'clean', held: false },
      { class: 'clean', virus: 'clean', held: false },
      { class: 'spam', virus: 'clean', held: true },
    ]
    const accepted = { name: 'receive.accepted' }
    let seq = 0
    const record1 = (atMs: number, more: Partial<EventRecord> = {}) =>
      record(++seq, { atMs, ...more })
    const nowMs = minute(10)
    await put(index, { node, epoch: 'e', nowMs, records: [record1(minute(1), accepted)] })
    for (let batch = 0; batch < 40; batch++)
      await put(index, {
        node,
        epoch: 'e',
        nowMs,
        records: [
          ...fields.map((each) => record1(minute(2) + 59_999, { ...accepted, fields: each })),
          record1(minute(5)),
          record1(minute(500_000), { name: 'node.ahead' }),
          record1(minute(10) - DAY_MS, { name: 'node.old' }),
        ],
      })
    const expected = [
      { name: 'node.ahead', count: 40 },
      { name: 'queue.delivered', count: 40 },
      { ...accepted, class: 'clean', virus: 'clean', held: false, count: 80 },
      { ...accepted, class: 'spam', virus: 'clean', held: true, count: 40 },
    ]
    assert.deepEqual(await index.counts({ sinceMs: minute(2) + 30_000 }), {
      items: expected,
      partial: false,
    })
    assert.deepEqual((await index.counts({ sinceMs: minute(1) })).items, [
      ...expected.slice(0, 2),
      { ...accepted, count: 1 },
      ...expected.slice(2),
    ])
    const { items: latest } = await index.counts({ sinceMs: minute(6) })
    assert.deepEqual(latest, expected.slice(0, 1), 'a clock ahead counts as of now, once')
    assert.deepEqual(await index.counts({ sinceMs: minute(11) }), { items: [], partial: false })
    index.close()
    const again = new SqliteEventIndex({ path, rowsMax: 10 })
    assert.deepEqual((await again.counts({ sinceMs: minute(2) })).items, expected)
    await put(again, { node, epoch: 'e', nowMs: minute(10) + 2 * DAY_MS, records: [] })
    assert.deepEqual((await again.counts({ sinceMs: 0 })).items, [], 'a day is kept')
    again.close()
  })

  test('a batch that fails counts nothing; names without end fill no minute', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'kinds.db') })
    const broken = { ...record(2), name: null as unknown as string }
    await assert.rejects(put(index, { node, epoch: 'e', nowMs: 1, records: [record(1), broken] }))
    await put(index, {
      node,
      epoch: 'e',
      nowMs: 1,
      records: Array.from({ length: 700 }, (_, i) =>
        record(i + 1, { name: `名前.${String(i).padStart(3, '0')}` }),
      ),
    })
    const { items, partial } = await index.counts({ sinceMs: 0 })
    assert.equal(partial, true)
    assert.equal(items.length, 501)
    assert.deepEqual(items[0], { name: 'other', count: 200 })
    assert.deepEqual(items[1], { name: '名前.000', count: 1 })
    index.close()
  })

  test('takes batches of several nodes in one commit, each with its own numbers', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'several.db') })
    const batches = ['gateway-1', 'gateway-2', 'gateway-1'].map((name, at) => ({
      node: name as NodeId,
      epoch: 'e',
      records: [1, 2].map((i) => record(i + (at === 2 ? 2 : 0), { node: name as NodeId })),
    }))
    assert.deepEqual(await index.put({ batches, nowMs: 1 }), { acked: [2, 2, 4] })
    assert.deepEqual((await index.gaps({ limit: 9 })).items, [])
    assert.equal((await index.latest({ limit: 100 })).items.length, 6)
    index.close()
  })

  test('holds its quota', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'trim.db'), rowsMax: 100 })
    for (let batch = 0; batch < 10; batch++)
      await put(index, {
        node,
        epoch: 'a',
        nowMs: 1,
        records: Array.from({ length: 50 }, (_, i) =>
          record(batch * 50 + i + 1, { deliveryId: `D${batch}`, fields: { to: 'a@b.example' } }),
        ),
      })
    assert.equal((await index.latest({ limit: 1_000 })).items.length, 100)
    const trace = await index.trace({ by: { kind: 'address', address: 'a@b.example' }, limit: 100 })
    assert.deepEqual(
      trace.items.map(({ deliveryId }) => deliveryId),
      ['D9', 'D8'],
    )
    index.close()
    const db = new DatabaseSync(join(folder, 'trim.db'), { readOnly: true })
    assert.equal(db.prepare('SELECT count(*) AS clues FROM clue').get()?.['clues'], 100)
    db.close()
  })
})
