import { clientNetwork } from '#base/client-network.ts'
import { MINUTE_MS, SECOND_MS, HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'

/** Failures that cost nothing: people mistype. */
const FREE_FAILURES = 5
const WAIT_MS_MAX = 15 * MINUTE_MS
/** Waits up to here are served in the session; longer ones are told. */
const WAIT_IN_SESSION_MS_MAX = 4 * SECOND_MS
/** A machine's own programs are slowed, never sent away. */
const LOOPBACK_WAIT_MS_MAX = 2 * SECOND_MS
const FORGET_AFTER_MS = HOUR_MS
const ENTRIES_MAX = 100_000
/** Wrong passwords remembered per name: a program that repeats an old one counts once. */
const REPEATS_REMEMBERED = 8

interface Record {
  failures: number
  lastMs: number
  readonly wrong: string[]
}

/** How an attempt may go on: at once or after `waitMs`, or not now. */
export type Pace = { readonly kind: 'go'; readonly waitMs: number } | { readonly kind: 'slowed' }

/**
 * Slows guessing, by address of the client and by login name, whether the name exists or not.
 * Each failure past the free ones doubles the wait, up to 15 minutes; an hour of quiet forgets.
 */
export class GuessLimits {
  readonly #clock: Clock
  readonly #byIp = new Map<string, Record>()
  readonly #byLogin = new Map<string, Record>()
  /** `ip login` pairs that were right before: others' guesses at the name do not hold them up. */
  readonly #known = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  pace(ip: string, login: string): Pace {
    const client = clientNetwork(ip)
    const byLogin = this.isKnown(ip, login) ? 0 : this.#wait(this.#byLogin.get(login))
    const waitMs = Math.max(this.#wait(this.#byIp.get(client)), byLogin)
    if (isLoopback(ip)) return { kind: 'go', waitMs: Math.min(waitMs, LOOPBACK_WAIT_MS_MAX) }
    return waitMs > WAIT_IN_SESSION_MS_MAX ? { kind: 'slowed' } : { kind: 'go', waitMs }
  }

  /** `mark` stands for the wrong password: the same one again is the same mistake. */
  failed(ip: string, login: string, mark: string): void {
    const repeated = this.#count(this.#byLogin, login, mark)
    if (!repeated) this.#count(this.#byIp, clientNetwork(ip), `${login} ${mark}`)
  }

  succeeded(ip: string, login: string): void {
    const client = clientNetwork(ip)
    this.#byLogin.delete(login)
    keep(this.#known, `${client} ${login}`, this.#clock.monotonicMs())
  }

  /** Whether the name was let in from there lately. */
  isKnown(ip: string, login: string): boolean {
    const at = this.#known.get(`${clientNetwork(ip)} ${login}`)
    return at !== undefined && this.#clock.monotonicMs() - at < 24 * FORGET_AFTER_MS
  }

  #wait(record: Record | undefined): number {
    if (record === undefined) return 0
    const sinceMs = this.#clock.monotonicMs() - record.lastMs
    if (record.failures < FREE_FAILURES || sinceMs > FORGET_AFTER_MS) return 0
    const doublings = Math.min(record.failures - FREE_FAILURES, 20)
    return Math.max(0, Math.min(WAIT_MS_MAX, 250 * 2 ** doublings) - sinceMs)
  }

  #count(table: Map<string, Record>, key: string, mark: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    const old = table.get(key)
    const record =
      old === undefined || nowMs - old.lastMs > FORGET_AFTER_MS
        ? { failures: 0, lastMs: nowMs, wrong: [] as string[] }
        : old
    const repeated = record.wrong.includes(mark)
    if (!repeated) {
      record.failures++
      record.lastMs = nowMs
      record.wrong.push(mark)
      if (record.wrong.length > REPEATS_REMEMBERED) record.wrong.shift()
    }
    keep(table, key, record)
    return repeated
  }
}

/** Sets the entry as the youngest; the oldest goes when there are too many. */
function keep<V>(table: Map<string, V>, key: string, value: V): void {
  table.delete(key)
  table.set(key, value)
  if (table.size > ENTRIES_MAX) table.delete(table.keys().next().value!)
}

export const isLoopback = (ip: string): boolean => ip === '::1' || ip.startsWith('127.')
