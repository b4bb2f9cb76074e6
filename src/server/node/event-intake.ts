import { Fault, isFault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { EventBatch, EventIndex } from '#store/events/event-index.ts'

/** A commit takes batches up to here, and one at least: what else the storage is asked waits no longer. */
const COMMIT_RECORDS = 1_000
/** So many may wait; nodes keep the others, and come again. */
const WAITING_RECORDS_MAX = 20_000

interface Waiting {
  readonly batch: EventBatch
  readonly resolve: (acked: number) => void
  readonly reject: (cause: unknown) => void
}

/**
 * Batches of all nodes on their way into the index: one commit at a time, which takes what has come
 * during the one before. Settings and directory lie on the same disk, and wait for one commit at
 * most, however many nodes have events to tell.
 */
export class EventIntake {
  readonly #index: Pick<EventIndex, 'put'>
  readonly #clock: Clock
  #waiting: Waiting[] = []
  #records = 0
  #isRunning = false

  constructor(parts: { readonly index: Pick<EventIndex, 'put'>; readonly clock: Clock }) {
    this.#index = parts.index
    this.#clock = parts.clock
  }

  /** Durable when it resolves, with the number up to which the node may forget. Throws Fault `unavailable`. */
  put(batch: EventBatch): Promise<number> {
    if (this.#waiting.length > 0 && this.#records + batch.records.length > WAITING_RECORDS_MAX)
      throw new Fault('unavailable', 'more events wait than the index takes')
    this.#records += batch.records.length
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject })
      if (!this.#isRunning) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.length > 0) {
      const taken = this.#take()
      try {
        await this.#commit(taken)
      } catch (cause) {
        // Whose batch cannot be stored is told so alone; the disk's trouble is everybody's.
        if (taken.length > 1 && !isFault(cause))
          for (const one of taken) await this.#commit([one]).catch(one.reject)
        else for (const { reject } of taken) reject(cause)
      }
    }
    this.#isRunning = false
  }

  async #commit(taken: readonly Waiting[]): Promise<void> {
    const batches = taken.map(({ batch }) => batch)
    const { acked } = await this.#index.put({ batches, nowMs: this.#clock.nowMs() })
    for (const [at, { resolve }] of taken.entries()) resolve(acked[at]!)
  }

  #take(): readonly Waiting[] {
    let records = 0
    let count = 0
    for (const { batch } of this.#waiting) {
      if (count > 0 && records + batch.records.length > COMMIT_RECORDS) break
      records += batch.records.length
      count++
    }
    this.#records -= records
    return this.#waiting.splice(0, count)
  }
}
