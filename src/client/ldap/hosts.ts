import { Fault, isFault } from '#base/outcome.ts'
import type { FaultCode } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { SECOND_MS } from '#base/time.ts'
import { bind } from './bind.ts'
import type { LdapIdentity } from './bind.ts'
import { LdapConnection } from './connection.ts'
import { serverName } from './server.ts'
import type { LdapServer, LdapTimes } from './server.ts'

/** A host that failed is asked again after this, or sooner where all others fail too. */
const AWAY_MS = 30 * SECOND_MS
/** Connections to a host that are kept for whoever asks next, where nothing else is said. */
const IDLE_MAX = 8

/** How a host of a source is, for health and the console. */
export interface HostHealth {
  readonly server: LdapServer
  readonly state: 'unknown' | 'well' | 'away'
  readonly error?: string
}

interface Host {
  readonly server: LdapServer
  readonly idle: LdapConnection[]
  state: HostHealth['state']
  error?: string
  awayUntilMs: number
}

/** What another host may do better. */
const TROUBLES: ReadonlySet<FaultCode> = new Set([
  'closed',
  'timeout',
  'unreachable',
  'protocol',
  'unavailable',
])

/**
 * The hosts of one source in their order, as one that answers while any of them does. Questions go to
 * the first that is well; one that fails is left alone for a while, and the question goes to the next.
 */
export class LdapHosts {
  readonly #hosts: readonly Host[]
  readonly #clock: Clock
  readonly #times: LdapTimes
  readonly #as: LdapIdentity | undefined
  readonly #idleMax: number
  #isClosed = false

  constructor(
    servers: readonly LdapServer[],
    parts: {
      readonly clock: Clock
      readonly times: LdapTimes
      /** Whom each connection is bound as; absent: nobody, as for questions that bind themselves. */
      readonly as?: LdapIdentity
      /** 0: each question has a connection of its own, as the rare ones may. */
      readonly idleMax?: number
    },
  ) {
    this.#hosts = servers.map((server) => ({ server, idle: [], state: 'unknown', awayUntilMs: 0 }))
    this.#clock = parts.clock
    this.#times = parts.times
    this.#as = parts.as
    this.#idleMax = parts.idleMax ?? IDLE_MAX
  }

  /**
   * Does something that may be done twice with a connection that nobody else uses meanwhile. Throws the
   * last host's Fault where all of them fail, and at once what no other host would answer otherwise.
   */
  async run<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new Fault('closed', 'the source is closed')
    let last: Fault = new Fault('config', 'a source without hosts')
    for (const host of this.#inOrder()) {
      try {
        const done = await this.#at(host, work)
        this.#isWell(host)
        return done
      } catch (thrown) {
        if (!isFault(thrown) || !TROUBLES.has(thrown.code)) throw thrown
        last = thrown
        host.state = 'away'
        host.error = thrown.message
        host.awayUntilMs = this.#clock.monotonicMs() + AWAY_MS
        for (const connection of host.idle.splice(0)) connection.close()
      }
    }
    throw last
  }

  #isWell(host: Host): void {
    host.state = 'well'
    host.awayUntilMs = 0
    delete host.error
  }

  #inOrder(): readonly Host[] {
    const nowMs = this.#clock.monotonicMs()
    const isAway = (host: Host): boolean => host.awayUntilMs > nowMs
    return [
      ...this.#hosts.filter((host) => !isAway(host)),
      ...this.#hosts.filter(isAway).toSorted((a, b) => a.awayUntilMs - b.awayUntilMs),
    ]
  }

  /** A connection that died while it was idle says so only when it is used: then once more with a new one. */
  async #at<T>(host: Host, work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    const kept = this.#kept(host)
    if (kept !== undefined)
      try {
        return await this.#with(host, kept, work)
      } catch (thrown) {
        if (!isFault(thrown, 'closed')) throw thrown
      }
    return this.#with(host, await this.#opened(host), work)
  }

  #kept(host: Host): LdapConnection | undefined {
    for (;;) {
      const connection = host.idle.pop()
      if (connection?.isOpen !== false) return connection
    }
  }

  async #opened({ server }: Host): Promise<LdapConnection> {
    const connection = await LdapConnection.open(server, {
      clock: this.#clock,
      times: this.#times,
    })
    if (this.#as === undefined) return connection
    try {
      if (await bind(connection, this.#as)) return connection
      throw new Fault(
        'unavailable',
        `${serverName(server)}: the name or password to bind with is wrong`,
      )
    } catch (thrown) {
      connection.close()
      throw thrown
    }
  }

  async #with<T>(
    host: Host,
    connection: LdapConnection,
    work: (connection: LdapConnection) => Promise<T>,
  ): Promise<T> {
    try {
      const done = await work(connection)
      if (!this.#isClosed && connection.isOpen && host.idle.length < this.#idleMax)
        host.idle.push(connection)
      else connection.close()
      return done
    } catch (thrown) {
      connection.close() // nobody knows what may still come on it
      throw thrown
    }
  }

  health(): readonly HostHealth[] {
    return this.#hosts.map(({ server, state, error }) => ({
      server,
      state,
      ...(error !== undefined && { error }),
    }))
  }

  close(): void {
    this.#isClosed = true
    for (const { idle } of this.#hosts) for (const connection of idle.splice(0)) connection.close()
  }
}
