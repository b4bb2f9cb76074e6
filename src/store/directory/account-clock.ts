import { DAY_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { momentAt } from '#model/account-life.ts'
import type { LifeRules, Moment } from '#model/account-life.ts'

/** A wall clock that went so much further than time did has jumped. */
const JUMP_MS = DAY_MS
/** So long it goes on as before: somebody sets it right, or the next day begins by the new one. */
const HOLD_MS = DAY_MS
/** A machine may have been off for so long: a clock that has gone further since is wrong. */
const OFF_MS = 100 * DAY_MS
/** Where nobody else tells the time, one that has gone on by more than this, or back, waits for somebody's word. */
const DOUBT_MS = 10 * DAY_MS

/**
 * The time by which accounts begin and end. A clock that jumps ends nobody's account and begins nobody's:
 * for a day the calendar goes on from where it was, so that a wrong clock refuses no mail of a cohort. So
 * it is with a clock that is wrong from the start, where it is known what time it was before; and one that
 * is another than control's is not believed at all. Control's own has no other beside it: what it makes of
 * a jump by many days waits until somebody says that it is right.
 */
export class AccountClock {
  readonly #clock: Clock
  readonly #rules: () => LifeRules
  readonly #onJump: (byMs: number) => void
  readonly #onControl: (differs: ClockDiffers | 'agrees') => void
  readonly #isControls: boolean
  /** What time it was, when this was known last before the start. */
  #knownMs: number | undefined
  #hasHeard = false
  #isFar = false
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
    /** Told once, and again when the clocks are one. */
    readonly onControl?: (differs: ClockDiffers | 'agrees') => void
    /** It is control's own: nobody tells it the time. */
    readonly isControls?: boolean
  }) {
    this.#clock = parts.clock
    this.#rules = parts.rules
    this.#onJump = parts.onJump ?? (() => undefined)
    this.#onControl = parts.onControl ?? (() => undefined)
    this.#isControls = parts.isControls ?? false
  }

  /** What time it was when this was known last; before anybody looks. */
  remember(knownMs: number): void {
    const wallMs = this.#clock.nowMs()
    const monotonicMs = this.#clock.monotonicMs()
    this.#knownMs = knownMs
    this.#seen = { wallMs, monotonicMs }
    const behindMs = wallMs - knownMs
    if (this.#isControls ? !isDoubtful(behindMs) : follows(wallMs, knownMs)) return
    this.#held = { behindMs, untilMs: this.#untilMs(behindMs, monotonicMs) }
    this.#onJump(behindMs)
  }

  /** Until when the calendar is kept so far behind the wall clock. */
  #untilMs(behindMs: number, monotonicMs: number): number {
    return this.#isControls && isDoubtful(behindMs) ? Infinity : monotonicMs + HOLD_MS
  }

  /** What the clock says is not believed until somebody says that it is right; undefined: it is. */
  get doubt(): ClockDoubt | undefined {
    const { today } = this.moment
    return this.#isControls && this.#held?.untilMs === Infinity
      ? { aheadMs: this.#held.behindMs, today }
      : undefined
  }

  /** The clock is right, however far it went. */
  accept(): void {
    this.#held = undefined
    this.#moment = undefined
  }

  /** What time it is for accounts. */
  get calendarMs(): number {
    return this.#nowMs()
  }

  /**
   * What time it is at control. Of two clocks that differ the one is believed that can follow on what was
   * known, control's before ours; where neither can, the calendar goes on from there until they are one.
   */
  told(controlMs: number): void {
    const calendarMs = this.#nowMs()
    const wallMs = this.#clock.nowMs()
    const isFar = Math.abs(wallMs - controlMs) > JUMP_MS
    if (isFar) {
      const trueMs = this.#hasHeard ? calendarMs : this.#firstMs({ controlMs, wallMs, calendarMs })
      const behindMs = wallMs - trueMs
      this.#held = Math.abs(behindMs) > JUMP_MS ? { behindMs, untilMs: Infinity } : undefined
    } else if (this.#held?.untilMs === Infinity) this.#held = undefined
    this.#hasHeard = true
    this.#moment = undefined
    if (isFar === this.#isFar) return
    this.#isFar = isFar
    this.#onControl(isFar ? { aheadMs: wallMs - controlMs, today: this.moment.today } : 'agrees')
  }

  #firstMs(at: { controlMs: number; wallMs: number; calendarMs: number }): number {
    const known = this.#knownMs
    if (known === undefined || follows(at.controlMs, known)) return at.controlMs
    return follows(at.wallMs, known) ? at.wallMs : at.calendarMs
  }

  /** What time it is for accounts, to be remembered; undefined while nobody but this clock has told it. */
  get knownMs(): number | undefined {
    return this.#hasHeard ? this.#nowMs() : undefined
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
        Math.abs(behindMs) > JUMP_MS
          ? { behindMs, untilMs: this.#untilMs(behindMs, monotonicMs) }
          : undefined
      this.#onJump(byMs)
    }
    if (this.#held !== undefined && monotonicMs >= this.#held.untilMs) this.#held = undefined
    return wallMs - (this.#held?.behindMs ?? 0)
  }
}

/** How far the wall clock is ahead of control's, and which day it is for accounts. */
export interface ClockDiffers {
  readonly aheadMs: number
  readonly today: string
}

/** How far control's own clock is ahead of what can follow on the last time that was known, and the day that counts. */
export type ClockDoubt = ClockDiffers

const follows = (ms: number, knownMs: number): boolean =>
  ms > knownMs - JUMP_MS && ms < knownMs + OFF_MS

const isDoubtful = (aheadMs: number): boolean => aheadMs > DOUBT_MS || aheadMs < -JUMP_MS

const isSame = (a: LifeRules, b: LifeRules): boolean =>
  a === b || (Object.keys(a) as (keyof LifeRules)[]).every((rule) => a[rule] === b[rule])
