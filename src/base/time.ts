/** The clock is a parameter: everything that looks at the time is given one. */
export interface Clock {
  /** Wall-clock time in ms since 1970; may jump. For what people and peers see. */
  nowMs(): number
  /** Milliseconds that only grow, the same in all processes of a machine; for deadlines and intervals. */
  monotonicMs(): number
  /** Calls `run` once after `delayMs`; the returned function cancels. Never keeps a process alive. */
  after(delayMs: number, run: () => void): () => void
}

export const SECOND_MS = 1_000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** Minutes that the calendar of this machine's time zone is ahead of UTC at a time. */
export const zoneMinutesAt = (ms: number): number => -Math.round(new Date(ms).getTimezoneOffset())

/** setTimeout fires at once above this. */
const TIMER_MS_MAX = 2 ** 31 - 1

let offsetMs = 0

/** Moves this process's wall clock, for tests of machines whose clock is wrong. */
export function shiftSystemClock(byMs: number): void {
  offsetMs = Number.isFinite(byMs) ? byMs : 0
}

/** What the machine's clock showed when `performance.now` began, which is another moment in each process. */
const beganAtMs = Number(process.hrtime.bigint() / 1_000n) / 1_000 - performance.now()

export const systemClock: Clock = {
  nowMs: () => Date.now() + offsetMs,
  monotonicMs: () => beganAtMs + performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), TIMER_MS_MAX))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: number
  #aheadMs = 0
  #timers: { at: number; run: () => void }[] = []
  constructor(startMs = Date.UTC(2026, 10, 25, 3, 0, 0)) {
    this.#now = startMs
  }
  nowMs(): number {
    return this.#now + this.#aheadMs
  }
  monotonicMs(): number {
    return this.#now
  }
  /** Sets the clock on or back, as a person or a time server does: no timer is nearer for it. */
  jump(ms: number): void {
    this.#aheadMs += ms
  }
  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }
  /** Moves on by `ms`, running what falls due in order. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#now = Math.max(this.#now, due.at)
      due.run()
    }
    this.#now = end
  }
}

/** Resolves after `delayMs`, or at once when the signal aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const cancel = clock.after(delayMs, done)
    function done(): void {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** Minutes east of UTC of this machine's zone, at a time. */
export const localZoneMinutes = (atMs: number): number => -new Date(atMs).getTimezoneOffset()
