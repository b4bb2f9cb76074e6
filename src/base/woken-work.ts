import { messageOf } from './outcome.ts'
import type { Clock } from './time.ts'

export interface WokenWorkParts {
  /** One look at all there is to do; it ends early once `isClosed` is true. */
  readonly pass: () => Promise<void>
  /** Told why a look has failed; the next one is when somebody wakes it, else after `lookAgainMs`. */
  readonly onTrouble: (cause: string) => void
  /** However quiet it is: after trouble, or where a wake was lost with its process. */
  readonly lookAgainMs: number
  readonly clock: Clock
}

/** Work that somebody wakes: one look at a time, and another one for what came meanwhile. */
export class WokenWork {
  readonly #parts: WokenWorkParts
  #running: Promise<void> = Promise.resolve()
  #isRunning = false
  #again = false
  #cancel: () => void = () => undefined
  isClosed = false

  constructor(parts: WokenWorkParts) {
    this.#parts = parts
  }

  /** Looks now; during a look, once more behind it. */
  wake(): void {
    if (this.isClosed) return
    this.#again = true
    if (this.#isRunning) return
    this.#isRunning = true
    this.#running = this.#run()
  }

  /** Waits for a look that is going on. */
  idle(): Promise<void> {
    return this.#running
  }

  /** No further look; waits for the one that is going on. */
  async close(): Promise<void> {
    this.isClosed = true
    this.#cancel()
    await this.#running
  }

  async #run(): Promise<void> {
    const { pass, onTrouble, lookAgainMs, clock } = this.#parts
    this.#cancel()
    while (this.#again && !this.isClosed) {
      this.#again = false
      try {
        await pass()
      } catch (thrown) {
        onTrouble(messageOf(thrown))
      }
    }
    // In the same turn as the last look at `again`: a wake in between would wait for the clock.
    this.#isRunning = false
    if (!this.isClosed) this.#cancel = clock.after(lookAgainMs, () => this.wake())
  }
}
