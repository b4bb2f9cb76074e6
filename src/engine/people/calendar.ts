import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { DAY_MS, MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountClock, ClockDoubt } from '#store/directory/account-clock.ts'
import type { UpkeepNotes } from '#store/directory/upkeep-notes.ts'

/** No further back than this does a start go on from, for as long as the clock was wrong. */
const NOTED_EACH_MS = 10 * MINUTE_MS

/**
 * What day it is for accounts, over starts of control: the last time that was good is noted, and a start
 * or a jump that cannot follow on it leaves the calendar where it was until somebody says that the clock
 * is right. Nodes go by this calendar, so that it holds where all of them share that clock.
 */
export class Calendar {
  readonly #lives: AccountClock
  readonly #notes: UpkeepNotes
  readonly #clock: Clock
  readonly #log: Log
  #cancel: () => void = () => undefined
  #isTold = false

  constructor(parts: {
    readonly lives: AccountClock
    readonly notes: UpkeepNotes
    readonly clock: Clock
    readonly log: Log
  }) {
    this.#lives = parts.lives
    this.#notes = parts.notes
    this.#clock = parts.clock
    this.#log = parts.log
  }

  /** Before anybody asks what day it is; writes nothing, since the start may be refused still. */
  async recall(): Promise<void> {
    const { knownMs } = await this.#notes.knownTime()
    if (knownMs !== undefined) this.#lives.remember(knownMs)
  }

  /** Notes the time from now on. */
  async begin(): Promise<void> {
    await this.#look()
  }

  /** What time it is for accounts. */
  get nowMs(): number {
    return this.#lives.calendarMs
  }

  /** Why nothing of accounts ends or begins by the clock; undefined: it is believed. */
  get doubt(): ClockDoubt | undefined {
    return this.#lives.doubt
  }

  /** The clock is right, however far it went. */
  async accept(by: string): Promise<void> {
    const { doubt } = this
    if (doubt === undefined) return
    this.#lives.accept()
    this.#log.warn('directory.clockAccepted', { by, aheadDays: daysOf(doubt) })
    await this.#note()
  }

  close(): void {
    this.#cancel()
  }

  async #look(): Promise<void> {
    await this.#note().catch((thrown: unknown) =>
      this.#log.warn('directory.timeNotKept', { cause: messageOf(thrown) }),
    )
    this.#tell()
    this.#cancel = this.#clock.after(NOTED_EACH_MS, () => void this.#look())
  }

  /** While the clock is in doubt this is the calendar's time: the next start doubts it as well. */
  #note(): Promise<void> {
    return this.#notes.noteTime({ knownMs: this.nowMs })
  }

  #tell(): void {
    const { doubt } = this
    if (doubt === undefined) this.#isTold = false
    else if (!this.#isTold) {
      this.#isTold = true
      this.#log.error('directory.clockDoubted', {
        aheadDays: daysOf(doubt),
        today: doubt.today,
        remedy: 'look at the clock; where it is right: watari directory upkeep --accept-clock',
      })
    }
  }
}

const daysOf = ({ aheadMs }: ClockDoubt): number => Math.round(aheadMs / DAY_MS)
