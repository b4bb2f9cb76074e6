import { HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'

/** A source that has lost more than this share of its people within an hour is held. */
const SHRINK_MAX = 0.2
/** Fewer than these may go all the same. */
const SHRINK_MIN = 10
const WITHIN_MS = HOUR_MS

/** Counts who goes from a source, all at once or one by one: a script that deletes is no less a mistake. */
export class ShrinkGuard {
  readonly #clock: Clock
  readonly #noun: string
  #losses: { readonly atMs: number; readonly count: number }[] = []
  #isHolding = false

  constructor(clock: Clock, noun = 'people') {
    this.#clock = clock
    this.#noun = noun
  }

  /** What is wrong with as many more going of those that are left; undefined: they may, and have gone. */
  refusal(going: number, left: number): string | undefined {
    const nowMs = this.#clock.monotonicMs()
    // What has gone before a hold is not forgotten while it lasts: time makes no mistake good.
    if (!this.#isHolding) this.#losses = this.#losses.filter(({ atMs }) => nowMs - atMs < WITHIN_MS)
    const before = this.#losses.reduce((sum, { count }) => sum + count, 0)
    const lost = before + going
    this.#isHolding = going > 0 && lost >= SHRINK_MIN && lost > (left + before) * SHRINK_MAX
    if (this.#isHolding)
      return `${lost} of ${left + before} ${this.#noun} would be gone${before === 0 ? '' : ` within an hour, ${before} of them are`}; nothing ${before === 0 ? '' : 'more '}of it is done`
    if (going > 0) this.#losses.push({ atMs: nowMs, count: going })
    return undefined
  }

  /** Somebody has said that it is meant. */
  reset(): void {
    this.#losses = []
    this.#isHolding = false
  }
}
