import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ROWS_PER_TURN, toItsEnd } from './in-turns.ts'
import type { InTurns } from './in-turns.ts'
import type { SortFacts } from './sort-facts.ts'
import { references } from './thread-references.ts'
import { orderedSubject } from './thread-subjects.ts'

/** What the work gives, and how much was looked at between two turns of others at most. */
function measured<T>(make: (look: () => void) => InTurns<T>): {
  readonly result: T
  readonly turns: number
  readonly looksMax: number
} {
  let looks = 0
  let looksMax = 0
  let turns = 0
  const work = make(() => looks++)
  for (;;) {
    const step = work.next()
    looksMax = Math.max(looksMax, looks)
    if (step.done === true) return { result: step.value, turns, looksMax }
    looks = 0
    turns++
  }
}

/** Facts that count each look at them. */
function factsOf(count: number, parentOf: (n: number) => number | undefined, look: () => void) {
  return Array.from({ length: count }, (_, row): SortFacts => {
    const parent = parentOf(row)
    const facts = {
      row,
      arrivalMs: 0,
      size: 0,
      subject: `会議 ${row % 7_000}`,
      isReply: parent !== undefined,
      from: '',
      to: '',
      cc: '',
      displayFrom: '',
      displayTo: '',
      messageId: `m${row}`,
      references: parent === undefined ? [] : [`m${parent}`],
    }
    return Object.defineProperty({ ...facts, sentMs: 0 }, 'sentMs', {
      get: () => {
        look()
        return (row * 7_919) % 100_003
      },
    })
  })
}

const ROWS = 40_000
/** Sorting so many rows looks at each of them some dozen times, on both sides of a comparison. */
const LOOKS_MAX = 40 * ROWS_PER_TURN

describe('work on a whole mailbox', () => {
  it('gives others a turn after some thousand rows, whatever threads there are', () => {
    const shapes = {
      none: () => undefined,
      'pairs, told backwards': (n: number) => (n % 2 === 0 ? n + 1 : undefined),
      'one that all answer': (n: number) => (n === 0 ? undefined : 0),
      'chains of a hundred': (n: number) => (n % 100 === 0 ? undefined : n - 1),
    }
    for (const [shape, parentOf] of Object.entries(shapes))
      for (const work of [references, orderedSubject]) {
        const { turns, looksMax, result } = measured((look) => work(factsOf(ROWS, parentOf, look)))
        assert.ok(result.length > 0)
        assert.ok(turns >= ROWS / ROWS_PER_TURN, `${shape}, ${work.name}: ${turns} turns`)
        assert.ok(looksMax < LOOKS_MAX, `${shape}, ${work.name}: ${looksMax} looks in one turn`)
      }
  })

  it('ends where nobody wants it any more', async () => {
    let turns = 0
    const gone = (): Promise<void> => {
      if (++turns === 3) throw new Error('gone')
      return Promise.resolve()
    }
    const facts = factsOf(
      ROWS,
      () => undefined,
      () => undefined,
    )
    await assert.rejects(toItsEnd(references(facts), gone), /gone/)
    assert.equal(turns, 3)
  })
})
