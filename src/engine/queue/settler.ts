import { isFault, messageOf } from '#base/outcome.ts'
import type { Log } from '#base/log.ts'
import { SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Accept, RecipientPlace, Settlement, SpoolStore } from '#store/spool/spool-store.ts'

const AGAIN_MS = SECOND_MS
/** The spool settles so many in one go, while nobody else is served there: a few milliseconds. */
const SETTLED_AT_ONCE = 500

/** What one transaction led to; its reports enter in the same commit. */
export interface Done {
  readonly settlements: readonly Settlement[]
  readonly dsns: readonly Accept[]
  /** Those of the settlements that wait for our own store alone. */
  readonly waiting?: readonly RecipientPlace[]
}

interface Waiting {
  readonly done: Done
  readonly resolve: (settled: boolean) => void
}

/** Settles in batches: what ends while one commit runs goes into the next one together. */
export class Settler {
  readonly #spool: SpoolStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #stopped = new AbortController()
  #waiting: Waiting[] = []
  #running = false

  constructor(options: { readonly spool: SpoolStore; readonly clock: Clock; readonly log: Log }) {
    this.#spool = options.spool
    this.#clock = options.clock
    this.#log = options.log
  }

  /** True once durable; false where it stays claimed: no spool before the end, or a mistake of ours. */
  async settle(done: Done): Promise<boolean> {
    const settled = await Promise.all(partsOf(done).map((part) => this.#add(part)))
    return settled.every(Boolean)
  }

  #add(done: Done): Promise<boolean> {
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
      const batch = this.#waiting.splice(0, this.#countAtOnce())
      const settled = await this.#commit({
        settlements: batch.flatMap(({ done }) => done.settlements),
        dsns: batch.flatMap(({ done }) => done.dsns),
      })
      if (settled === 'refused' && batch.length > 1) await this.#each(batch)
      else for (const { resolve } of batch) resolve(settled === true)
    }
    this.#running = false
  }

  /** How many of those that wait go together: one at least. */
  #countAtOnce(): number {
    let settlements = 0
    const full = this.#waiting.findIndex(({ done }) => {
      settlements += done.settlements.length
      return settlements > SETTLED_AT_ONCE
    })
    return full < 0 ? this.#waiting.length : Math.max(1, full)
  }

  /** One that the spool cannot take for a mistake of ours must not keep all others from their end. */
  async #each(batch: readonly Waiting[]): Promise<void> {
    for (const { done, resolve } of batch) resolve((await this.#commit(done)) === true)
  }

  /** Again and again while the world is to blame; `refused`: for a mistake of ours. */
  async #commit(done: Done): Promise<boolean | 'refused'> {
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
        if (!isFault(thrown)) return 'refused'
        if (this.#stopped.signal.aborted) return false
        await sleep(this.#clock, AGAIN_MS, this.#stopped.signal)
      }
    }
  }
}

/** A report stands in one commit with what it reports; what was settled without any, by and by. */
function partsOf(done: Done): readonly Done[] {
  const { settlements, dsns } = done
  if (dsns.length > 0 || settlements.length <= SETTLED_AT_ONCE) return [done]
  const parts: Done[] = []
  for (let at = 0; at < settlements.length; at += SETTLED_AT_ONCE)
    parts.push({ settlements: settlements.slice(at, at + SETTLED_AT_ONCE), dsns })
  return parts
}
