import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import type { EventRecord, NodeId } from '#model/event.ts'
import type { EventBatch } from '#store/events/event-index.ts'
import { EventIntake } from './event-intake.ts'

const batchOf = (name: string, count: number): EventBatch => ({
  node: name as NodeId,
  epoch: 'e',
  records: Array.from({ length: count }, (_, i): EventRecord => ({
    node: name as NodeId,
    seq: i + 1,
    atMs: 1,
    name: '受信',
    fields: {},
  })),
})

/** An index whose commits end when the test says so; each acks what it was given. */
function slowIndex() {
  const commits: { readonly nodes: readonly string[]; end(cause?: unknown): void }[] = []
  return {
    commits,
    put: ({ batches }: { readonly batches: readonly EventBatch[] }) =>
      new Promise<{ readonly acked: readonly number[] }>((resolve, reject) => {
        commits.push({
          nodes: batches.map(({ node }) => node),
          end: (cause) =>
            cause === undefined
              ? resolve({ acked: batches.map(({ records }) => records.length) })
              : reject(cause),
        })
      }),
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('events of all nodes on their way into the index', () => {
  test('one commit at a time takes what came during the one before, up to a limit', async () => {
    const index = slowIndex()
    const intake = new EventIntake({ index, clock: new FakeClock() })
    const done = ['a', 'b', 'c', 'd', 'e'].map((name, at) =>
      intake.put(batchOf(name, [1, 400, 600, 2_000, 3][at]!)),
    )
    for (let at = 0; at < 4; at++) {
      assert.equal(index.commits.length, at + 1, 'none begins before the last has ended')
      index.commits[at]!.end()
      await turn()
    }
    assert.deepEqual(
      index.commits.map(({ nodes }) => nodes),
      [['a'], ['b', 'c'], ['d'], ['e']],
    )
    assert.deepEqual(await Promise.all(done), [1, 400, 600, 2_000, 3])
  })

  test('what cannot be stored fails its own node alone; a disk that fails all', async () => {
    const index = slowIndex()
    const intake = new EventIntake({ index, clock: new FakeClock() })
    const puts = ['a', 'b', 'c', 'd', 'e'].map((name) => intake.put(batchOf(name, 600)))
    const first = Promise.allSettled(puts.slice(0, 1))
    index.commits[0]!.end()
    assert.equal((await first)[0]!.status, 'fulfilled')
    const rest = Promise.allSettled(puts.slice(1))
    for (let at = 1; at < 5; at++) {
      await turn()
      index.commits[at]!.end(at === 2 ? new Fault('io', 'the disk') : undefined)
    }
    assert.deepEqual(
      (await rest).map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )

    const small = ['f', 'g', 'h'].map((name) => intake.put(batchOf(name, 2)))
    const all = Promise.allSettled(small)
    await turn()
    index.commits[5]!.end()
    await turn()
    assert.deepEqual(index.commits[6]!.nodes, ['g', 'h'])
    index.commits[6]!.end(new TypeError('a number that no column takes'))
    await turn()
    index.commits[7]!.end(new TypeError('a number that no column takes'))
    await turn()
    index.commits[8]!.end()
    assert.deepEqual(
      (await all).map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
  })

  test('no more may wait than a few commits take: the node keeps them', async () => {
    const index = slowIndex()
    const intake = new EventIntake({ index, clock: new FakeClock() })
    const taken = Array.from({ length: 11 }, () => intake.put(batchOf('ノード', 2_000)))
    assert.throws(() => intake.put(batchOf('late', 2_000)), { code: 'unavailable' })
    for (let at = 0; at < 11; at++) {
      index.commits[at]!.end()
      await turn()
    }
    assert.equal((await Promise.all(taken)).length, 11)
    const again = intake.put(batchOf('late', 2_000))
    index.commits[11]!.end()
    assert.equal(await again, 2_000)
  })
})
