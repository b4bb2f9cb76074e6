/**
 * Acks, one at a time: each says all that is in force, so that whatever came into force during one
 * goes with the next. Rows are taken no slower for the way of their acks.
 */
export class Acks {
  readonly #tell: () => Promise<void>
  readonly #failed: (cause: Error) => void
  #isTelling = false
  #isDue = false

  /** `failed` is told of an ack that did not reach control. */
  constructor(tell: () => Promise<void>, failed: (cause: Error) => void) {
    this.#tell = tell
    this.#failed = failed
  }

  /** Something has come into force. */
  due(): void {
    this.#isDue = true
    if (!this.#isTelling) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isTelling = true
    try {
      while (this.#isDue) {
        this.#isDue = false
        await this.#tell()
      }
    } catch (cause) {
      this.#failed(cause as Error)
    } finally {
      this.#isTelling = false
    }
  }
}
