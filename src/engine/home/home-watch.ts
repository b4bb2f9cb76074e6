import { isFault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import { csnVector, lagMs, newerCsns } from '#codec/ldap/csn.ts'
import type { HomePlace } from './ldap-home.ts'
import { bindService } from './line.ts'
import { contextCsn } from './provision.ts'

const TIMES = { connectMs: 2 * SECOND_MS, answerMs: 2 * SECOND_MS, besideMs: 2 * SECOND_MS }
/** However many look, the servers are asked so often. */
const FRESH_MS = 3 * SECOND_MS

/** How one server of a home is. */
export interface WatchedServer {
  readonly server: LdapServer
  readonly isProvider: boolean
  /** Why it is away; absent: it answers. */
  readonly error?: string
  /** How far its copy goes. */
  readonly contextCsn?: string
  /** How much older that is than the newest of all of them; 0: nothing is missing. */
  readonly lagMs?: number
}

/** Asks each server of a home how far it is, when somebody looks. */
export class HomeWatch {
  readonly #place: HomePlace
  readonly #clock: Clock
  #last: { readonly atMs: number; readonly servers: Promise<readonly WatchedServer[]> } | undefined

  constructor(place: HomePlace, clock: Clock) {
    this.#place = place
    this.#clock = clock
  }

  /** The provider first. Never rejects for what a server does; takes some seconds where one hangs. */
  look(): Promise<readonly WatchedServer[]> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#last === undefined || nowMs - this.#last.atMs > FRESH_MS)
      this.#last = { atMs: nowMs, servers: this.#look() }
    return this.#last.servers
  }

  async #look(): Promise<readonly WatchedServer[]> {
    const { provider, replicas } = this.#place
    const looks = await Promise.all([provider, ...replicas].map((server) => this.#at(server)))
    const csns = looks.map(({ csn }) => csnVector(csn === undefined ? [] : [csn]))
    const newest = csns.reduce(newerCsns)
    return looks.map(({ server, csn, error }, at) => ({
      server,
      isProvider: at === 0,
      ...(error !== undefined && { error }),
      ...(csn !== undefined && { contextCsn: csn, lagMs: lagMs(csns[at]!, newest) }),
    }))
  }

  async #at(
    server: LdapServer,
  ): Promise<{ readonly server: LdapServer; readonly csn?: string; readonly error?: string }> {
    let connection: LdapConnection | undefined
    try {
      connection = await LdapConnection.open(server, { clock: this.#clock, times: TIMES })
      await bindService(connection, this.#place.bind)
      const csn = await contextCsn(connection, this.#place.base)
      return { server, ...(csn !== undefined && { csn }) }
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown
      return { server, error: thrown.message }
    } finally {
      connection?.close()
    }
  }
}
