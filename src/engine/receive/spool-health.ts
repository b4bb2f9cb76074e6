import { withDeadline } from '#base/deadline.ts'
import { isFault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { Reply } from '#model/reply.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'

/** An answer younger than this is believed. */
const FRESH_MS = 1_000
/** DESIGN section 4: a stall is answered within 5 s. */
const STATUS_TIMEOUT_MS = 3_000

export const FULL: Reply = { code: 452, status: '4.3.1', text: 'No space left here, try later' }
const STALLED: Reply = {
  code: 451,
  status: '4.3.0',
  text: 'Storage does not answer, try later',
}
const FAILED: Reply = { code: 451, status: '4.3.0', text: 'Local trouble, try later' }

/** The reply to trouble of ours: always transient, never with its cause. */
export function replyOf(thrown: unknown): Reply {
  if (isFault(thrown, 'full')) return FULL
  return isFault(thrown, 'stalled') || isFault(thrown, 'closed') ? STALLED : FAILED
}

/** What is known of the spool, asked at most once a second. */
export class SpoolHealth {
  readonly #spool: Pick<SpoolStore, 'status'>
  readonly #clock: Clock
  #asking: Promise<Reply | undefined> | undefined
  #known: Reply | undefined
  #knownAtMs = Number.NEGATIVE_INFINITY

  constructor(spool: Pick<SpoolStore, 'status'>, clock: Clock) {
    this.#spool = spool
    this.#clock = clock
  }

  /** The last answer at once; an old one is asked for anew behind it. */
  get known(): Reply | undefined {
    if (!this.#isFresh) void this.#ask()
    return this.#known
  }

  /** Undefined: there is room. Never throws; answers within STATUS_TIMEOUT_MS. */
  current(): Promise<Reply | undefined> {
    return this.#isFresh ? Promise.resolve(this.#known) : this.#ask()
  }

  get #isFresh(): boolean {
    return this.#clock.monotonicMs() - this.#knownAtMs < FRESH_MS
  }

  #ask(): Promise<Reply | undefined> {
    this.#asking ??= this.#answer().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #answer(): Promise<Reply | undefined> {
    try {
      const status = await withDeadline(this.#spool.status(), {
        clock: this.#clock,
        timeoutMs: STATUS_TIMEOUT_MS,
        what: 'spool status',
        code: 'stalled',
      })
      this.#known = status.full ? FULL : undefined
    } catch (thrown) {
      this.#known = replyOf(thrown)
    }
    this.#knownAtMs = this.#clock.monotonicMs()
    return this.#known
  }
}
