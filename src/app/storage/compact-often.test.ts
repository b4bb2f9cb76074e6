import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock, MINUTE_MS } from '#base/time.ts'
import { compactOften } from './compact-often.ts'

it('mail is compressed within a minute of filling a segment, whose file goes a minute later; else every ten minutes', async () => {
  const clock = new FakeClock()
  let count = 0
  const store = {
    segment: 7,
    compact: () => {
      count++
      return Promise.resolve({ moved: count === 2 ? 1 : 0, damaged: 0 })
    },
  }
  const often = compactOften(store, clock)
  const counted: number[] = []
  for (let minute = 1; minute <= 14; minute++) {
    if (minute === 2 || minute === 3) store.segment++
    clock.advance(MINUTE_MS)
    // The next look is set when the last has ended.
    await new Promise(setImmediate)
    counted.push(count)
  }
  assert.deepEqual(counted, [0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4])
  often.close()
  store.segment++
  clock.advance(MINUTE_MS)
  assert.equal(count, 4)
})
