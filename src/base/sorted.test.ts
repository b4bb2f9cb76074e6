import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sortedInSteps } from './sorted.ts'
import { atOnce, inSlices } from './turns.ts'

describe('sorting in steps', () => {
  it('sorts as toSorted does, also what is equal', () => {
    const rows = fc.array(fc.record({ key: fc.nat(5), n: fc.nat() }), { maxLength: 300 })
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 60 }), (some, times) => {
        const list = Array.from({ length: times }, () => some).flat()
        const compare = (a: { key: number }, b: { key: number }): number => a.key - b.key
        assert.deepEqual(atOnce(sortedInSteps(list, compare)), list.toSorted(compare))
      }),
      { numRuns: 60 },
    )
  })

  it('can be left alone after some thousand rows', () => {
    let looks = 0
    const list = Array.from({ length: 40_000 }, (_, n) => (n * 7_919) % 100_003)
    const work = sortedInSteps(list, (a, b) => (looks++, a - b))
    let steps = 0
    for (let step = work.next(); step.done !== true; step = work.next()) {
      assert.ok(looks < 1_024 * 20, `${looks} comparisons in one step`)
      looks = 0
      steps++
    }
    assert.ok(steps > 40, `${steps} steps`)
  })
})

describe('work in slices', () => {
  it('comes to the same end, with turns of others in between', async () => {
    function* busy(ms: number) {
      for (const endsAt = performance.now() + ms; performance.now() < endsAt;) yield
      return 'done'
    }
    let others = 0
    const beside = setInterval(() => others++, 0)
    const done = await inSlices(busy(60))
    clearInterval(beside)
    assert.equal(done, 'done')
    assert.ok(others > 0)
  })
})
