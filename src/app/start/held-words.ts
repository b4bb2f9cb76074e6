import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'

/** A start that takes so long has something to tell meanwhile. */
const HELD_MS_MAX = 10 * SECOND_MS
const HELD_CHARACTERS_MAX = 64 * 1024

/**
 * Holds the log back while a start is under way, so that one that fails for a reason that somebody
 * can mend shows the line that says so, and nothing else.
 */
export class HeldWords {
  readonly #write: (text: string) => void
  readonly #cancel: () => void
  #held: string | undefined = ''

  constructor(parts: { readonly clock: Clock; readonly write: (text: string) => void }) {
    this.#write = parts.write
    this.#cancel = parts.clock.after(HELD_MS_MAX, () => this.release())
  }

  say(text: string): void {
    if (this.#held === undefined) return this.#write(text)
    this.#held += text
    if (this.#held.length > HELD_CHARACTERS_MAX) this.release()
  }

  /** What was held, and from now on everything at once. */
  release(): void {
    this.#cancel()
    const held = this.#held ?? ''
    this.#held = undefined
    if (held !== '') this.#write(held)
  }

  /** Forgets what was held, and goes on holding. */
  drop(): void {
    this.#cancel()
    if (this.#held !== undefined) this.#held = ''
  }
}
