import { DAY_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { momentAt } from '#model/account-life.ts'
import type { LifeRules, Moment } from '#model/account-life.ts'

/** A wall clock that went so much further than time did has jumped. */
const JUMP_MS = DAY_MS
/** So long it goes on as before: somebody sets it right, or the next day begins by the new one. */
const HOLD_MS = DAY_MS

/**
 * The time by which accounts begin and end. A clock that jumps ends nobody's account and begins nobody's:
 * for a day the calendar goes on from where it was, so that a wrong clock refuses no mail of a cohort.
 */
export class AccountClock {
  readonly #clock: Clock
  readonly #rules: () => LifeRules
  readonly #onJump: (byMs: number) => void
  /** Both clocks when they were looked at last. */
  #seen: { readonly wallMs: number; readonly monotonicMs: number } | undefined
  /** Since a jump: how far the calendar is behind the wall clock, and until when. */
  #held: { readonly behindMs: number; readonly untilMs: number } | undefined
  #moment:
    | { readonly moment: Moment; readonly rules: LifeRules; readonly untilMs: number }
    | undefined

  constructor(parts: {
    readonly clock: Clock
    readonly rules: () => LifeRules
    readonly onJump?: (byMs: number) => void
  }) {
    this.#clock = parts.clock
    this.#rules = parts.rules
    this.#onJump = parts.onJump ?? (() => undefined)
  }

  /** Made anew each second at most: it is asked for each recipient. */
  get moment(): Moment {
    const nowMs = this.#nowMs()
    const rules = this.#rules()
    const known = this.#moment
    if (
      known !== undefined &&
      nowMs >= known.moment.nowMs &&
      nowMs < known.untilMs &&
      isSame(known.rules, rules)
    )
      return known.moment
    const moment = momentAt(nowMs, rules)
    this.#moment = { moment, rules, untilMs: (Math.floor(nowMs / SECOND_MS) + 1) * SECOND_MS }
    return moment
  }

  #nowMs(): number {
    const wallMs = this.#clock.nowMs()
    const monotonicMs = this.#clock.monotonicMs()
    const seen = this.#seen ?? { wallMs, monotonicMs }
    this.#seen = { wallMs, monotonicMs }
    const byMs = wallMs - seen.wallMs - (monotonicMs - seen.monotonicMs)
    if (Math.abs(byMs) > JUMP_MS) {
      const behindMs = (this.#held?.behindMs ?? 0) + byMs
      // It has come back to where it was: nothing is left to hold.
      this.#held =
        Math.abs(behindMs) > JUMP_MS ? { behindMs, untilMs: monotonicMs + HOLD_MS } : undefined
      this.#onJump(byMs)
    }
    if (this.#held !== undefined && monotonicMs >= this.#held.untilMs) this.#held = undefined
    return wallMs - (this.#held?.behindMs ?? 0)
  }
}

const isSame = (a: LifeRules, b: LifeRules): boolean =>
  a === b || (Object.keys(a) as (keyof LifeRules)[]).every((rule) => a[rule] === b[rule])
