import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LONGEST, longestFirst } from './longest-first.ts'
import { runPlan } from './schedule.ts'

/** Work that ends when it is told to. */
function works() {
  const running = new Map<string, () => void>()
  const begun: string[] = []
  return {
    begun,
    work: (name: string): Promise<string> => {
      begun.push(name)
      return new Promise((resolve) => running.set(name, () => resolve(name)))
    },
    end: async (name: string): Promise<void> => {
      running.get(name)!()
      await new Promise(setImmediate)
    },
  }
}

test('short ones run while the long ones are prepared, then the long ones come first', async () => {
  const { promise: ready, resolve: prepared } = Promise.withResolvers<void>()
  const { begun, work, end } = works()
  const all = runPlan({ long: ['長', '永'], short: ['a', 'b', 'c', 'd'], ready, width: 2 }, work)
  assert.deepEqual(begun, ['a', 'b'])
  await end('a')
  assert.deepEqual(begun, ['a', 'b', 'c'])
  prepared()
  await end('b')
  assert.deepEqual(begun.slice(3), ['長'])
  await end('c')
  assert.deepEqual(begun.slice(4), ['永'], 'two of them at a time')
  await end('永')
  assert.deepEqual(begun.slice(5), ['d'], 'what is short fills the end')
  await end('d')
  await end('長')
  assert.deepEqual(await all, ['a', 'b', 'c', '永', 'd', '長'])
})

test('who has nothing short left waits for what is prepared; what cannot be prepared is told', async () => {
  const { promise: ready, resolve: prepared, reject: failed } = Promise.withResolvers<void>()
  const { begun, work, end } = works()
  const all = runPlan({ long: ['長'], short: [], ready, width: 2 }, work)
  await new Promise(setImmediate)
  assert.deepEqual(begun, [])
  prepared()
  await new Promise(setImmediate)
  assert.deepEqual(begun, ['長'])
  await end('長')
  assert.deepEqual(await all, ['長'])
  failed(new Error('ready long ago'))
  await assert.rejects(
    runPlan(
      { long: ['長'], short: [], ready: Promise.reject(new Error('no disk')), width: 2 },
      work,
    ),
    /no disk/,
  )
})

test('what is left idle is filled, one further at a time, and nobody waits for it at the end', async () => {
  const { begun, work, end } = works()
  const asked: PromiseWithResolvers<boolean>[] = []
  const idle = (signal: AbortSignal): Promise<boolean> => {
    const answer = Promise.withResolvers<boolean>()
    signal.addEventListener('abort', () => answer.resolve(false))
    asked.push(answer)
    return answer.promise
  }
  const sayIdle = async (): Promise<void> => {
    asked.at(-1)!.resolve(true)
    await new Promise(setImmediate)
  }
  const short = ['a', 'b', 'c', 'd', 'e']
  const plan = { long: [], short, ready: Promise.resolve(), width: 2, extra: { width: 2, idle } }
  const all = runPlan(plan, work)
  await new Promise(setImmediate)
  assert.deepEqual(begun, ['a', 'b'])
  assert.equal(asked.length, 1, 'the second asks when the first has begun')
  await sayIdle()
  assert.deepEqual(begun, ['a', 'b', 'c'])
  await sayIdle()
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
  assert.equal(asked.length, 2, 'both are at work')
  await end('c')
  assert.equal(begun.length, 4, 'it asks again before it takes another')
  assert.equal(asked.length, 3)
  await end('a')
  assert.deepEqual(begun.slice(4), ['e'])
  for (const name of ['b', 'e', 'd']) await end(name)
  assert.deepEqual(await all, ['c', 'a', 'b', 'e', 'd'])
})

test('the longest come first, and each of them is there', () => {
  const files = ['a', '永', 'b', '長'].map((path) => ({ path }))
  const sorted = longestFirst(files, ['長', '永']).map(({ path }) => path)
  assert.deepEqual(sorted, ['長', '永', 'a', 'b'])
  assert.deepEqual(
    LONGEST.filter((path) => !existsSync(join(import.meta.dirname, '../..', path))),
    [],
  )
})
