import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { streamLine } from '#contract/node/wire.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { SharedLines } from './shared-lines.ts'

const jsonOf = (items: readonly object[]) => fromUtf8(JSON.stringify(items))

/** A log that counts how often it is read. */
function fakeLog() {
  const log = { seq: 3, reads: 0, isBroken: false, nameLength: 1 }
  const row = (i: number): DirectoryRow => ({
    kind: 'domain',
    domain: { name: `大学${i}.${'x'.repeat(log.nameLength)}` },
  })
  const read = <T>(value: T): Promise<T> => {
    log.reads++
    return log.isBroken ? Promise.reject(new Error('EIO')) : Promise.resolve(value)
  }
  const lines = new SharedLines({
    clock,
    log: {
      rows: ({ after }) => {
        const json = jsonOf([{ key: 'domain:x', row: row(after) }])
        return read({ seq: log.seq, json, next: after + 1 })
      },
      changes: ({ since }) => {
        const isEnd = since >= log.seq
        const json = jsonOf(isEnd ? [] : [{ seq: log.seq, key: 'domain:x', row: row(since) }])
        return read({ seq: log.seq, json, isCut: since < 2, ...(!isEnd && { last: log.seq }) })
      },
    },
  })
  return { log, lines }
}

const clock = new FakeClock()

describe('lines for many nodes', () => {
  test('are read once for all who ask at the same time, and anew after a write', async () => {
    const { log, lines } = fakeLog()
    const asked = await Promise.all([...Array(50)].map(() => lines.rows(0, log.seq)))
    assert.equal(log.reads, 1)
    assert.equal(new Set(asked).size, 1)
    const line = streamLine.parse(JSON.parse(asked[0]!.octets.toString()))
    assert.deepEqual(line, {
      kind: 'gather',
      first: true,
      rows: [{ key: 'domain:x', row: { kind: 'domain', domain: { name: '大学0.x' } } }],
    })
    assert.equal(asked[0]?.next, 1)
    log.seq = 4
    const later = await Promise.all([lines.rows(0, 4), lines.rows(0, 4), lines.rows(0, 3)])
    assert.deepEqual(
      later.map(({ seq }) => seq),
      [4, 4, 4],
    )
    assert.equal(log.reads, 2)
    await Promise.all([lines.changes(3, 4), lines.changes(3, 4)])
    assert.equal(log.reads, 3)
    assert.equal((await lines.changes(4, 4)).next, undefined)
    const { octets, isCut } = await lines.changes(1, 4)
    assert.equal(isCut, true)
    const changes = streamLine.parse(JSON.parse(octets.toString()))
    assert.ok(changes.kind === 'changes' && changes.changes[0]?.seq === 4)
  })

  test('a failed read is told to all who waited, and not kept', async () => {
    const { log, lines } = fakeLog()
    log.isBroken = true
    const asked = await Promise.allSettled([lines.rows(0, 3), lines.rows(0, 3)])
    assert.deepEqual(
      asked.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    log.isBroken = false
    assert.equal((await lines.rows(0, 3)).seq, 3)
  })

  test('what is kept is bounded, and goes when nobody asks any more', async () => {
    const { log, lines } = fakeLog()
    log.nameLength = 6 * 1024 * 1024
    for (const after of [0, 1, 2]) await lines.rows(after, 3)
    assert.equal(log.reads, 3)
    await lines.rows(2, 3)
    assert.equal(log.reads, 3, 'the latest are kept')
    await lines.rows(0, 3)
    assert.equal(log.reads, 4, 'the first had to go')
    clock.advance(60_000)
    await lines.rows(2, 3)
    assert.equal(log.reads, 5)
  })
})
