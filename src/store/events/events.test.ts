import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { FakeClock } from '#base/time.ts'
import type { EventRecord, NewEvent, NodeId } from '#model/event.ts'
import { EventBuffer } from './event-buffer.ts'
import { SqliteEventIndex } from './event-index.ts'
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
    await index.put({
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
    await index.put({
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
    await index.put({ node, epoch: 'e', nowMs: 9, records: events })
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

  test('goes on with what a delivery sent on; within one millisecond in the order of the way', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'way.db') })
    const put = (seq: number, name: string, deliveryId: string, atMs: number) =>
      record(seq, { name, deliveryId, atMs, fields: { messageId: `<${deliveryId}@x>` } })
    await index.put({
      node,
      epoch: 'e',
      nowMs: 9,
      records: [
        put(1, 'queue.delivered', 'D1', 5),
        put(2, 'store.filed', 'D1', 5),
        put(3, 'receive.accepted', 'D1', 5),
        put(4, 'store.filed', 'D1-22', 6),
        put(5, 'store.filed', 'D1-11', 7),
        put(6, 'store.filed', 'D1-11-33', 8),
        put(7, 'store.filed', 'D10', 9),
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
      await first.put({ node, epoch: 'a', nowMs: 1, records: [record(1), record(2)] }),
      { acked: 2 },
    )
    first.close()
    const index = new SqliteEventIndex({ path })
    assert.deepEqual(
      await index.put({ node, epoch: 'a', nowMs: 2, records: [record(2), record(3)] }),
      { acked: 3 },
    )
    assert.deepEqual((await index.gaps({ limit: 10 })).items, [])
    assert.deepEqual(
      await index.put({ node, epoch: 'a', nowMs: 3, records: [record(7), record(8)] }),
      { acked: 8 },
    )
    assert.deepEqual(await index.put({ node, epoch: 'b', nowMs: 4, records: [record(1)] }), {
      acked: 1,
    })
    assert.deepEqual((await index.gaps({ limit: 10 })).items, [
      { node, epoch: 'a', from: 4, to: 6, foundAtMs: 3 },
    ])
    assert.equal((await index.latest({ limit: 100 })).items.length, 6)
    index.close()
  })

  test('counts what has happened since a time, by name and verdict', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'counts.db') })
    const fields = [
      { class: 'clean', virus: 'clean', held: false },
      { class: 'clean', virus: 'clean', held: false },
      { class: 'spam', virus: 'clean', held: true },
    ]
    await index.put({
      node,
      epoch: 'e',
      nowMs: 10,
      records: [
        record(1, { name: 'receive.accepted' }),
        ...fields.map((each, at) => record(at + 2, { name: 'receive.accepted', fields: each })),
        record(5),
      ],
    })
    assert.deepEqual(await index.counts({ sinceMs: 2 }), {
      items: [
        { name: 'queue.delivered', count: 1 },
        { name: 'receive.accepted', class: 'clean', virus: 'clean', held: false, count: 2 },
        { name: 'receive.accepted', class: 'spam', virus: 'clean', held: true, count: 1 },
      ],
      partial: false,
    })
    assert.deepEqual(await index.counts({ sinceMs: 6 }), { items: [], partial: false })
    index.close()
  })

  test('holds its quota', async () => {
    const index = new SqliteEventIndex({ path: join(folder, 'trim.db'), rowsMax: 100 })
    for (let batch = 0; batch < 10; batch++)
      await index.put({
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
  })
})
