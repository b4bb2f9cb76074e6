import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { EventSink, NewEvent } from '#model/event.ts'
import type { EventLog } from './event-log.ts'

const FLUSH_AFTER_MS = 100
const BATCH_MAX = 500
/** While storage stalls, so many are kept in memory; then the oldest go, and are counted. */
const WAITING_MAX = 20_000

/** Gathers facts in memory and hands them to the log in batches; nobody waits for it. */
export class EventBuffer implements EventSink {
  readonly #log: EventLog
  readonly #clock: Clock
  readonly #trouble: Log
  readonly #onFlushed: () => void
  #waiting: NewEvent[] = []
  #lost = 0
  #isArmed = false
  #flushing: Promise<void> = Promise.resolve()

  constructor(parts: {
    readonly log: EventLog
    readonly clock: Clock
    /** Told of what could not be kept. */
    readonly trouble: Log
    /** Called after each batch, so that shipping need not poll. */
    readonly onFlushed?: () => void
  }) {
    this.#log = parts.log
    this.#clock = parts.clock
    this.#trouble = parts.trouble
    this.#onFlushed = parts.onFlushed ?? (() => undefined)
  }

  emit(event: NewEvent): void {
    this.#waiting.push(event)
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift()
      this.#lost++
    }
    if (this.#isArmed) return
    this.#isArmed = true
    this.#clock.after(FLUSH_AFTER_MS, () => void this.flush())
  }

  /** Hands over what waits; before an end, so that nothing stays in memory. */
  flush(): Promise<void> {
    this.#isArmed = false
    this.#flushing = this.#flushing.then(() => this.#write())
    return this.#flushing
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX)
      try {
        if (this.#lost > 0) {
          batch.push({
            atMs: this.#clock.nowMs(),
            name: 'events.lost',
            fields: { count: this.#lost },
          })
          this.#lost = 0
        }
        await this.#log.append({ events: batch })
      } catch (cause) {
        this.#lost += batch.length
        this.#trouble.warn('events.lost', { count: batch.length, reason: messageOf(cause) })
        return
      }
    }
    this.#onFlushed()
  }
}
