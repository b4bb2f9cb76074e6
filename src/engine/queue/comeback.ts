import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { RecipientPlace } from '#store/spool/spool-store.ts'

export interface ComebackOptions {
  readonly clock: Clock
  /** Whether our own store takes mail now; a rejection: it does not. */
  readonly isReady: () => Promise<boolean>
  /** Makes these due; then they are no longer waited for. Where it rejects they stay. */
  readonly hasten: (these: readonly RecipientPlace[]) => Promise<void>
}

const LOOK_MS = SECOND_MS
/** A store that says it is ready and takes nothing all the same is not believed each second. */
const LOOK_MS_MAX = MINUTE_MS / 2
const AT_ONCE = 500
/** Of more the retries think: they come within half a minute. */
const WAITING_MAX = 100_000

/**
 * Mail that waits for our own store goes at once when that is back, not at its next retry. While mail
 * waits the store is asked each second; nothing is asked otherwise.
 */
export class Comeback {
  readonly #options: ComebackOptions
  readonly #waiting = new Map<string, RecipientPlace>()
  #pauseMs = LOOK_MS
  /** When mail was last made due because it said that it is ready. */
  #believedAtMs = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined
  #isStopped = false

  constructor(options: ComebackOptions) {
    this.#options = options
  }

  waits(these: readonly RecipientPlace[]): void {
    // It took what came for a while: what waits now waits for another reason.
    if (this.#options.clock.monotonicMs() - this.#believedAtMs > 2 * LOOK_MS_MAX)
      this.#pauseMs = LOOK_MS
    for (const place of these) {
      if (this.#waiting.size >= WAITING_MAX) break
      this.#waiting.set(`${place.queueId} ${place.index}`, place)
    }
    this.#arm()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }

  #arm(): void {
    if (this.#isStopped || this.#cancel !== undefined || this.#waiting.size === 0) return
    this.#cancel = this.#options.clock.after(this.#pauseMs, () => {
      void this.#look().finally(() => {
        this.#cancel = undefined
        this.#arm()
      })
    })
  }

  async #look(): Promise<void> {
    const isReady = await this.#options.isReady().catch(() => false)
    if (!isReady) {
      this.#pauseMs = LOOK_MS
      return
    }
    this.#pauseMs = Math.min(2 * this.#pauseMs, LOOK_MS_MAX)
    this.#believedAtMs = this.#options.clock.monotonicMs()
    const all = [...this.#waiting]
    for (let at = 0; at < all.length && !this.#isStopped; at += AT_ONCE) {
      const some = all.slice(at, at + AT_ONCE)
      // Taken out first: one that is deferred again meanwhile waits anew.
      for (const [key] of some) this.#waiting.delete(key)
      try {
        await this.#options.hasten(some.map(([, place]) => place))
      } catch {
        for (const [key, place] of some) this.#waiting.set(key, place)
        return
      }
    }
  }
}
