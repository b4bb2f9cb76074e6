/**
 * Own changes on their way. What the server told while one was is of neither before nor after it:
 * a row that was just taken out would come back, or one that was put back would go.
 */
export class Writes {
  #running = 0
  #edition = 0
  #settled: Promise<unknown> = Promise.resolve()

  /** Runs a change; `whenAll` is called when it was the last one on its way. */
  async run<T>(change: () => Promise<T>, whenAll: () => void): Promise<T> {
    this.#running++
    this.#edition++
    const done = change()
    this.#settled = Promise.allSettled([this.#settled, done])
    try {
      return await done
    } finally {
      this.#running--
      this.#edition++
      if (this.#running === 0) whenAll()
    }
  }

  /** Asks when no change is on its way, and again where one began meanwhile. */
  async after<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      while (this.#running > 0) await this.#settled
      const edition = this.#edition
      const answer = await ask()
      if (this.#edition === edition) return answer
    }
  }
}
