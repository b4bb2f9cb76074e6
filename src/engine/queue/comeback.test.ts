import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import type { QueueId, RecipientPlace } from '#store/spool/spool-store.ts'
import { Comeback } from './comeback.ts'

const places = (count: number, from = 0): RecipientPlace[] =>
  Array.from({ length: count }, (_, n) => ({ queueId: `渡${from + n}` as QueueId, index: 0 }))
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function start(state: { ready: boolean | 'silent'; fails?: boolean }) {
  const clock = new FakeClock(0)
  const asked: number[] = []
  const hastened: { readonly atMs: number; readonly ids: readonly string[] }[] = []
  const comeback = new Comeback({
    clock,
    isReady: async () => {
      asked.push(clock.nowMs() / SECOND_MS)
      if (state.ready === 'silent') throw new Fault('unreachable', '誰もいない')
      return state.ready
    },
    hasten: async (these) => {
      if (state.fails === true) throw new Fault('stalled', 'the disk does not answer')
      hastened.push({ atMs: clock.nowMs(), ids: these.map(({ queueId }) => queueId) })
    },
  })
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(SECOND_MS)
      await turn()
    }
  }
  return { comeback, asked, hastened, pass }
}

test('asks nothing while nothing waits, then each second until the store is back', async () => {
  const state: Parameters<typeof start>[0] = { ready: 'silent' }
  const { comeback, asked, hastened, pass } = start(state)
  await pass(10)
  assert.deepEqual(asked, [])
  comeback.waits(places(3))
  await pass(2)
  state.ready = false
  await pass(2)
  assert.deepEqual([asked, hastened], [[11, 12, 13, 14], []])
  state.ready = true
  await pass(30)
  assert.deepEqual(hastened, [{ atMs: 15_000, ids: ['渡0', '渡1', '渡2'] }])
  assert.equal(asked.length, 5, 'nothing waits any more')
})

test('what waits is made due in pieces, each recipient once', async () => {
  const { comeback, hastened, pass } = start({ ready: true })
  comeback.waits(places(1_200))
  comeback.waits(places(300, 1_000))
  await pass(1)
  assert.deepEqual(
    hastened.map(({ ids }) => ids.length),
    [500, 500, 300],
  )
  assert.equal(new Set(hastened.flatMap(({ ids }) => ids)).size, 1_300)
})

test('a store that says it is ready and takes nothing is believed ever more seldom', async () => {
  const { comeback, hastened, pass } = start({ ready: true })
  for (let second = 0; second < 120; second++) {
    comeback.waits(places(1)) // deferred again and again
    await pass(1)
  }
  assert.deepEqual(
    hastened.map(({ atMs }) => atMs / SECOND_MS),
    [1, 3, 7, 15, 31, 61, 91],
  )
})

test('short troubles, an hour apart, make nothing that waits later wait longer', async () => {
  const { comeback, hastened, pass } = start({ ready: true })
  for (let hour = 0; hour < 10; hour++) {
    comeback.waits(places(1, hour))
    await pass(3_600)
  }
  assert.deepEqual(
    hastened.map(({ atMs }) => (atMs / SECOND_MS) % 3_600),
    Array<number>(10).fill(1),
  )
})

test('what the spool did not take is made due later; after the end nothing is asked', async () => {
  const state = { ready: true, fails: true }
  const { comeback, asked, hastened, pass } = start(state)
  comeback.waits(places(2))
  await pass(1)
  state.fails = false
  await pass(2)
  assert.deepEqual(hastened, [{ atMs: 3_000, ids: ['渡0', '渡1'] }])
  comeback.waits(places(1))
  comeback.stop()
  await pass(60)
  comeback.waits(places(1))
  await pass(60)
  assert.equal(asked.length, 2)
})
