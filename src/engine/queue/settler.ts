import { isFault, messageOf } from '#base/outcome.ts'
import type { Log } from '#base/log.ts'
import { SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Accept, Settlement, SpoolStore } from '#store/spool/spool-store.ts'

const AGAIN_MS = SECOND_MS

/** What one transaction led to; its reports enter in the same commit. */
export interface Done {
  readonly settlements: readonly Settlement[]
  readonly dsns: readonly Accept[]
}

/** Settles in batches: what ends while one commit runs goes into the next one together. */
export class Settler {
  readonly #spool: SpoolStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #stopped = new AbortController()
  #waiting: { readonly done: Done; readonly resolve: (settled: boolean) => void }[] = []
  #running = false

  constructor(options: { readonly spool: SpoolStore; readonly clock: Clock; readonly log: Log }) {
    this.#spool = options.spool
    this.#clock = options.clock
    this.#log = options.log
  }

  /** True once durable; false where the spool did not come back before the end. */
  settle(done: Done): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push({ done, resolve })
      if (!this.#running) void this.#run()
    })
  }

  /** Gives up what the spool does not take: it stays claimed, and is ready again after a restart. */
  stop(): void {
    this.#stopped.abort()
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0)
      const settled = await this.#commit({
        settlements: batch.flatMap(({ done }) => done.settlements),
        dsns: batch.flatMap(({ done }) => done.dsns),
      })
      for (const { resolve } of batch) resolve(settled)
    }
    this.#running = false
  }

  async #commit(done: Done): Promise<boolean> {
    for (;;) {
      try {
        await this.#spool.settle(done) // asking again is safe
        return true
      } catch (thrown) {
        this.#log.warn('queue.stalled', {
          what: 'settle',
          code: isFault(thrown) ? thrown.code : 'bug',
          text: messageOf(thrown),
        })
        if (this.#stopped.signal.aborted) return false
        await sleep(this.#clock, AGAIN_MS, this.#stopped.signal)
      }
    }
  }
}
