import { Fault, isFault } from '#base/outcome.ts'
import { SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import type { LdapHosts } from '#client/ldap/hosts.ts'
import { csnsOf } from '#client/ldap/look.ts'
import { emptyCsns, isBehind, lagMs, newerCsns } from '#codec/ldap/csn.ts'
import type { CsnVector } from '#codec/ldap/csn.ts'

/** Each host is asked how it is, and how far it has come. */
const WATCH_MS = 10 * SECOND_MS
/** A name that stands for several servers is asked so often for one that is not behind the others. */
const REDIALS_MAX = 4

/** How far the servers of a source have come, each beside the newest that any of them has told. */
export class HostsProgress {
  readonly #hosts: LdapHosts
  readonly #clock: Clock
  #newest: CsnVector = emptyCsns
  #lags: readonly (number | undefined)[] = []
  #redials = 0
  #isRedialing = false

  constructor(hosts: LdapHosts, clock: Clock) {
    this.#hosts = hosts
    this.#clock = clock
  }

  /** The last server was left because others have come further: another one is asked at once. */
  get isRedialing(): boolean {
    return this.#isRedialing
  }

  /** By the place of a host; undefined: nobody knows. */
  lagOf(at: number): number | undefined {
    return this.#lags[at]
  }

  /** Somebody has come this far. */
  tells(csns: CsnVector): void {
    this.#newest = newerCsns(this.#newest, csns)
  }

  /** Throws where other servers of the source are known to have come further, a few times. */
  require(csns: CsnVector): void {
    this.#isRedialing =
      csns.size > 0 && isBehind(csns, this.#newest) && this.#redials++ < REDIALS_MAX
    if (this.#isRedialing) throw behind(csns, this.#newest)
    this.#redials = 0
  }

  /** Resolves with the reason why the server is to be left: it is silent, or behind what others have told. */
  async watch(
    connection: LdapConnection,
    suffix: string,
    { settled, signal }: { readonly settled: () => Promise<void>; readonly signal: AbortSignal },
  ): Promise<Fault | undefined> {
    try {
      await this.look(suffix)
      for (;;) {
        const before = this.#newest
        await sleep(this.#clock, WATCH_MS, signal)
        if (signal.aborted) return undefined
        await settled() // until then its answer waits behind news
        const own = await csnsOf(connection, suffix)
        if (own.size > 0 && isBehind(own, before)) return behind(own, before)
        if (signal.aborted) return undefined
        await this.look(suffix)
      }
    } catch (thrown) {
      return isFault(thrown) ? thrown : new Fault('protocol', String(thrown))
    }
  }

  /** How far each host has come; never rejects for what a host does. */
  async look(suffix: string): Promise<void> {
    const all = await this.#hosts.atEach((connection) => csnsOf(connection, suffix))
    for (const csns of all) this.tells(csns ?? emptyCsns)
    this.#lags = all.map((csns) =>
      csns === undefined || csns.size === 0 ? undefined : lagMs(csns, this.#newest),
    )
  }
}

const behind = (csns: CsnVector, newest: CsnVector): Fault =>
  new Fault(
    'unavailable',
    `it is ${Math.ceil(lagMs(csns, newest) / SECOND_MS)} s behind what the source has told before`,
  )
