import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from './outcome.ts'
import { FakeClock } from './time.ts'
import { WokenWork } from './woken-work.ts'

/** Work whose looks end when the test says so. */
function bench() {
  const clock = new FakeClock()
  const looks: { end(): void; fail(): void }[] = []
  const troubles: string[] = []
  const work = new WokenWork({
    pass: () =>
      new Promise((resolve, reject) => {
        looks.push({ end: resolve, fail: () => reject(new Fault('unavailable', '渡れない')) })
      }),
    onTrouble: (cause) => void troubles.push(cause),
    lookAgainMs: 1_000,
    clock,
  })
  return { clock, looks, troubles, work }
}

/** Lets all that is settled go on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('one look at a time, and one more for all who woke it meanwhile', async () => {
  const { looks, work } = bench()
  for (let n = 0; n < 3; n++) work.wake()
  assert.equal(looks.length, 1)
  looks[0]!.end()
  await turn()
  assert.equal(looks.length, 2)
  looks[1]!.end()
  await work.idle()
  assert.equal(looks.length, 2)
  work.wake()
  assert.equal(looks.length, 3)
})

test('trouble is told, and looked at again after a while', async () => {
  const { clock, looks, troubles, work } = bench()
  work.wake()
  looks[0]!.fail()
  await work.idle()
  assert.deepEqual(troubles, ['渡れない'])
  clock.advance(999)
  assert.equal(looks.length, 1)
  clock.advance(1)
  assert.equal(looks.length, 2)
})

test('closing waits for the look that goes on, and is the end', async () => {
  const { clock, looks, work } = bench()
  work.wake()
  work.wake()
  let isOver = false
  const closed = work.close().then(() => (isOver = true))
  await turn()
  assert.equal(isOver, false)
  looks[0]!.end()
  await closed
  work.wake()
  clock.advance(10_000)
  assert.equal(looks.length, 1)
})
