import { HOUR_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AppPasswordUse } from '#model/app-password.ts'

/** A program that logs in each minute is told of each hour. */
const TOLD_EACH_MS = HOUR_MS
/** What comes in a burst goes up together. */
const GATHER_MS = SECOND_MS
/** While control is away. */
const AGAIN_MS = 60 * SECOND_MS
const AT_ONCE = 1_000
/** Of a node: past it the oldest is told again sooner. */
const KNOWN_MAX = 500_000

/** Tells control when app passwords are used: not of each login, and without anybody who waits for it. */
export class ToldUses {
  readonly #tell: (uses: readonly AppPasswordUse[]) => Promise<void>
  readonly #clock: Clock
  /** When each was told of last. */
  readonly #toldMs = new Map<string, number>()
  #waiting = new Map<string, AppPasswordUse>()
  #cancel: (() => void) | undefined
  #isStopped = false

  constructor(parts: {
    readonly tell: (uses: readonly AppPasswordUse[]) => Promise<void>
    readonly clock: Clock
  }) {
    this.#tell = parts.tell
    this.#clock = parts.clock
  }

  used(use: Omit<AppPasswordUse, 'at'>): void {
    const key = `${use.accountId} ${use.id}`
    const nowMs = this.#clock.nowMs()
    const before = this.#toldMs.get(key)
    // A clock that was set back tells again.
    if (before !== undefined && nowMs >= before && nowMs - before < TOLD_EACH_MS) return
    this.#toldMs.delete(key)
    this.#toldMs.set(key, nowMs)
    if (this.#toldMs.size > KNOWN_MAX) this.#toldMs.delete(this.#toldMs.keys().next().value!)
    this.#waiting.set(key, { ...use, at: new Date(nowMs).toISOString() })
    this.#later(GATHER_MS)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }

  #later(ms: number): void {
    if (this.#isStopped) return
    this.#cancel ??= this.#clock.after(ms, () => {
      void this.#flush().then((isDone) => {
        this.#cancel = undefined
        if (this.#waiting.size > 0) this.#later(isDone ? GATHER_MS : AGAIN_MS)
      })
    })
  }

  async #flush(): Promise<boolean> {
    const some = [...this.#waiting].slice(0, AT_ONCE)
    try {
      await this.#tell(some.map(([, use]) => use))
    } catch {
      return false // control is away: its stream tells of that
    }
    for (const [key, use] of some) if (this.#waiting.get(key) === use) this.#waiting.delete(key)
    return true
  }
}
