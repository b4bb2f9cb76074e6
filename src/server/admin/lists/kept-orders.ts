import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'

/** Nobody has looked on for so long: it is forgotten. */
const QUIET_MS = MINUTE_MS
/** Put in order at once, for as many people as look at large lists within a minute. */
const ORDERS_MAX = 4

interface Kept {
  readonly seq: number
  readonly order: Promise<readonly unknown[]>
  readonly cancel: () => void
}

/**
 * All rows of a list in their order, for whoever looks at one window of them after the other: made
 * once, and anew where the directory has changed since, or after a minute.
 */
export class KeptOrders {
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `name` says of what, and how it is narrowed; `seq` of which directory. */
  async of<T>(name: string, seq: number, make: () => Promise<readonly T[]>): Promise<readonly T[]> {
    const found = this.#kept.get(name)
    if (found?.seq === seq) return (await found.order) as readonly T[]
    this.#forget(name)
    const [oldest] = this.#kept.keys()
    if (oldest !== undefined && this.#kept.size >= ORDERS_MAX) this.#forget(oldest)
    const order = make()
    const cancel = this.#clock.after(QUIET_MS, () => this.#forget(name))
    this.#kept.set(name, { seq, order, cancel })
    try {
      return await order
    } catch (thrown) {
      if (this.#kept.get(name)?.order === order) this.#forget(name)
      throw thrown
    }
  }

  #forget(name: string): void {
    this.#kept.get(name)?.cancel()
    this.#kept.delete(name)
  }
}
