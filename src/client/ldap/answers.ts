import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { LdapMessage } from '#codec/ldap/message.ts'

/** Messages that wait for their asker before the connection reads no more. */
const WAITING_MAX = 256

/** What came upon one question, until somebody takes it. */
export class Answers {
  readonly #clock: Clock
  #waiting: LdapMessage[] = []
  #taken = 0
  #end: Fault | undefined
  #arrived: (() => void) | undefined
  #drained: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Undefined where more may come at once, else what resolves when it may. */
  put(message: LdapMessage): Promise<void> | undefined {
    this.#waiting.push(message)
    this.#arrived?.()
    if (this.#waiting.length - this.#taken < WAITING_MAX || this.#end !== undefined)
      return undefined
    return new Promise((resolve) => (this.#drained = resolve))
  }

  /** The next one. Throws the Fault that ended the connection, or `timeout`. */
  async next(timeoutMs: number | undefined): Promise<LdapMessage> {
    if (this.#taken === this.#waiting.length && this.#end === undefined)
      await this.#arrival(timeoutMs)
    const message = this.#waiting[this.#taken]
    if (message === undefined) throw this.#end ?? new Fault('timeout', 'no answer in time')
    if (++this.#taken < this.#waiting.length) return message
    this.#waiting = []
    this.#taken = 0
    this.#drained?.()
    return message
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
