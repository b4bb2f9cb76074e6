import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { StorageChild } from './child-process.ts'
import type { StorageChildOptions } from './child-process.ts'
import type { ServicesOf, StorageKind } from './kinds.ts'

const QUIET_MS = 2 * MINUTE_MS

export interface OnDemandOptions<K extends StorageKind> extends StorageChildOptions<K> {
  readonly clock: Clock
  /** Asked of a child that nobody calls: true once it has nothing to do either. */
  readonly isResting: (services: { service: StorageChild<K>['service'] }) => Promise<boolean>
  readonly quietMs?: number
}

/** A storage child that is there while somebody calls it: started by a call, ended after a quiet time. */
export class OnDemandChild<K extends StorageKind> {
  readonly #options: OnDemandOptions<K>
  #child: StorageChild<K> | undefined
  #calls = 0
  #cancel: (() => void) | undefined
  #isStopped = false
  #ending: Promise<unknown> = Promise.resolve()

  constructor(options: OnDemandOptions<K>) {
    this.#options = options
  }

  /** Of the child, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** As with a storage child's own; a call starts the child. Throws Fault as that does. */
  service<S extends keyof ServicesOf<K> & string>(name: S): ServicesOf<K>[S] {
    const methods = new Map<string, (argument?: unknown) => Promise<unknown>>()
    return new Proxy(
      {},
      {
        get: (_target, method) => {
          // A promise that resolves with the proxy asks for `then`.
          if (typeof method !== 'string' || method === 'then') return undefined
          const call =
            methods.get(method) ?? ((argument?: unknown) => this.#call(name, method, argument))
          methods.set(method, call)
          return call
        },
      },
    ) as ServicesOf<K>[S]
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#child?.stop()
    await this.#ending
  }

  async #call(service: string, method: string, argument: unknown): Promise<unknown> {
    this.#cancel?.()
    this.#calls++
    try {
      const store = this.#running().service(service as keyof ServicesOf<K> & string)
      type Methods = Record<string, (argument: unknown) => Promise<unknown>>
      return await (store as unknown as Methods)[method]!(argument)
    } finally {
      this.#calls--
      this.#restLater()
    }
  }

  #running(): StorageChild<K> {
    if (this.#child !== undefined) return this.#child
    const child = new StorageChild(this.#options)
    this.#child = child
    // What no restart mends is told to the calls that wait; the next call tries anew.
    child.start().catch(() => {
      if (this.#child === child) this.#child = undefined
    })
    if (this.#isStopped) void child.stop()
    return child
  }

  #restLater(): void {
    if (this.#calls > 0 || this.#isStopped) return
    const { clock, quietMs = QUIET_MS } = this.#options
    this.#cancel?.()
    this.#cancel = clock.after(quietMs, () => void this.#rest())
  }

  async #rest(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const isResting = await this.#options.isResting(child).catch(() => true)
    if (this.#calls > 0) return
    if (!isResting) return this.#restLater()
    if (this.#child === child) this.#child = undefined
    this.#ending = child.stop()
  }
}
