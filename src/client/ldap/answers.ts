import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { LdapEntry, LdapMessage } from '#codec/ldap/message.ts'

/** Messages that wait for their asker before the connection reads no more. */
const WAITING_MAX = 256

/** What came upon one question, until somebody takes it. */
export class Answers<Entry = LdapEntry> {
  readonly #clock: Clock
  #waiting: LdapMessage<Entry>[] = []
  #end: Fault | undefined
  #arrived: (() => void) | undefined
  #drained: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Undefined where more may come at once, else what resolves when it may. */
  put(message: LdapMessage<Entry>): Promise<void> | undefined {
    this.#waiting.push(message)
    this.#arrived?.()
    if (this.#waiting.length < WAITING_MAX || this.#end !== undefined) return undefined
    return new Promise((resolve) => (this.#drained = resolve))
  }

  /** All that have come, one at least. Throws the Fault that ended the connection, or `timeout`. */
  async next(timeoutMs: number | undefined): Promise<readonly LdapMessage<Entry>[]> {
    if (this.#waiting.length === 0 && this.#end === undefined) await this.#arrival(timeoutMs)
    const come = this.#waiting
    if (come.length === 0) throw this.#end ?? new Fault('timeout', 'no answer in time')
    this.#waiting = []
    this.#drained?.()
    return come
  }

  #arrival(timeoutMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const cancel = timeoutMs === undefined ? undefined : this.#clock.after(timeoutMs, resolve)
      this.#arrived = () => {
        cancel?.()
        this.#arrived = undefined
        resolve()
      }
    })
  }

  /** Nothing comes any more; what has come can still be taken. */
  end(fault: Fault): void {
    this.#end ??= fault
    this.#arrived?.()
    this.#drained?.()
  }
}
