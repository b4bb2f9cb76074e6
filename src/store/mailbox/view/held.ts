import { DAY_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'

/** A session that shows expunged rows reads one of them at least so often, or is gone. */
const HELD_MS = DAY_MS

/** The mailboxes of which expunged rows were read lately: a session there may read more of them. */
export class HeldMailboxes {
  readonly #clock: Clock
  readonly #readAtMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(aid: number, mid: number): void {
    this.#readAtMs.set(`${aid}/${mid}`, this.#clock.monotonicMs())
  }

  has(aid: number, mid: number): boolean {
    return this.#readAtMs.has(`${aid}/${mid}`)
  }

  /** Lets go of mailboxes that were read long ago. */
  tidy(): void {
    const since = this.#clock.monotonicMs() - HELD_MS
    for (const [key, atMs] of this.#readAtMs) if (atMs < since) this.#readAtMs.delete(key)
  }
}
