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
/** New connections that are tried beside the first where there is one host, or one name of several. */
const FURTHER = 2
/** Connections to a host that are kept for whoever asks next. */
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

/** One try at a question: over a connection that is kept, or a new one. */
interface Attempt {
  readonly host: Host
  readonly by: 'kept' | 'new'
}

/**
 * The hosts of one source in their order, as one that answers while any of them does. Questions go to
 * the first that is well; while it says nothing the next one is asked beside it, and one that fails is
 * left alone for a while.
 */
export class LdapHosts {
  readonly #hosts: readonly Host[]
  readonly #clock: Clock
  readonly #times: LdapTimes
  readonly #as: LdapIdentity | undefined
  #isClosed = false

  constructor(
    servers: readonly LdapServer[],
    parts: {
      readonly clock: Clock
      readonly times: LdapTimes
      /** Whom each connection is bound as; absent: nobody, as for questions that bind themselves. */
      readonly as?: LdapIdentity
    },
  ) {
    this.#hosts = servers.map((server) => ({ server, idle: [], state: 'unknown', awayUntilMs: 0 }))
    this.#clock = parts.clock
    this.#times = parts.times
    this.#as = parts.as
  }

  /**
   * Does something short that may be done several times, even at once, with a connection that nobody else
   * uses meanwhile. Throws the last host's Fault where all of them fail, and at once what no other host
   * would answer otherwise.
   */
  run<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new Fault('closed', 'the source is closed'))
    const attempts = this.#attempts()
    return new Promise((resolve, reject) => {
      const asked = new Set<Host>()
      let last: unknown = new Fault('config', 'a source without hosts')
      let underWay = 0
      let isDone = false
      let cancel = (): void => undefined
      const next = (): void => {
        cancel()
        if (isDone) return
        const attempt = attempts.shift()
        if (attempt === undefined) {
          if (underWay === 0) reject(last)
          return
        }
        underWay++
        asked.add(attempt.host)
        cancel = this.#clock.after(this.#times.besideMs, next)
        this.#at(attempt, work).then(
          (done) => {
            this.#isWell(attempt.host)
            if (isDone) return
            isDone = true
            cancel()
            asked.delete(attempt.host)
            for (const host of asked)
              this.#isAway(host, `${serverName(host.server)}: no answer in time`)
            resolve(done)
          },
          (thrown: unknown) => {
            underWay--
            if (!isTrouble(thrown)) {
              isDone = true
              cancel()
              reject(thrown)
              return
            }
            if (attempt.by === 'new') this.#isAway(attempt.host, thrown.message)
            else this.#closeKept(attempt.host)
            last = thrown
            next()
          },
        )
      }
      next()
    })
  }

  /**
   * Does something long, a reading or what goes on until it fails, at one host after another until it is
   * done; each time with a connection of its own, which is closed behind it. Throws as `run` does.
   */
  async inTurn<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    let last: Fault = new Fault('config', 'a source without hosts')
    for (const host of this.#inOrder()) {
      if (this.#isClosed) throw new Fault('closed', 'the source is closed')
      let connection: LdapConnection | undefined
      try {
        connection = await this.#opened(host)
        this.#isWell(host)
        return await work(connection)
      } catch (thrown) {
        if (!isTrouble(thrown)) throw thrown
        last = thrown
        this.#isAway(host, thrown.message)
      } finally {
        connection?.close()
      }
    }
    throw last
  }

  /** Asks every host something short; undefined of those that fail. In the order of the source. */
  atEach<T>(work: (connection: LdapConnection) => Promise<T>): Promise<readonly (T | undefined)[]> {
    return Promise.all(
      this.#hosts.map(async (host) => {
        let connection: LdapConnection | undefined
        try {
          connection = await this.#opened(host)
          const done = await work(connection)
          if (host.state !== 'away') this.#isWell(host)
          return done
        } catch (thrown) {
          if (!isTrouble(thrown)) throw thrown
          this.#isAway(host, thrown.message)
          return undefined
        } finally {
          connection?.close()
        }
      }),
    )
  }

  #isWell(host: Host): void {
    host.state = 'well'
    host.awayUntilMs = 0
    delete host.error
  }

  #isAway(host: Host, error: string): void {
    host.state = 'away'
    host.error = error
    host.awayUntilMs = this.#clock.monotonicMs() + AWAY_MS
    this.#closeKept(host)
  }

  #closeKept({ idle }: Host): void {
    for (const connection of idle.splice(0)) connection.close()
  }

  /**
   * Over a kept connection first. It may have died, or its host behind a name that stands for several: then
   * over a new one, and where there is no other host over further new ones, which may lead elsewhere.
   */
  #attempts(): Attempt[] {
    const hosts = this.#inOrder()
    return hosts.flatMap((host): Attempt[] => [
      ...(host.idle.some(({ isOpen }) => isOpen) ? [{ host, by: 'kept' } as const] : []),
      { host, by: 'new' },
      ...(hosts.length === 1
        ? Array.from({ length: FURTHER }, () => ({ host, by: 'new' }) as const)
        : []),
    ])
  }

  #inOrder(): readonly Host[] {
    const nowMs = this.#clock.monotonicMs()
    const isAway = (host: Host): boolean => host.awayUntilMs > nowMs
    return [
      ...this.#hosts.filter((host) => !isAway(host)),
      ...this.#hosts.filter(isAway).toSorted((a, b) => a.awayUntilMs - b.awayUntilMs),
    ]
  }

  async #at<T>(
    { host, by }: Attempt,
    work: (connection: LdapConnection) => Promise<T>,
  ): Promise<T> {
    const kept = by === 'kept' ? this.#kept(host) : undefined
    const connection = kept ?? (await this.#opened(host))
    try {
      const done = await work(connection)
      if (!this.#isClosed && connection.isOpen && host.idle.length < IDLE_MAX)
        host.idle.push(connection)
      else connection.close()
      return done
    } catch (thrown) {
      connection.close() // nobody knows what may still come on it
      throw thrown
    }
  }

  #kept(host: Host): LdapConnection | undefined {
    for (;;) {
      const connection = host.idle.pop()
      if (connection?.isOpen !== false) return connection
    }
  }

  async #opened({ server }: Pick<Host, 'server'>): Promise<LdapConnection> {
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

  health(): readonly HostHealth[] {
    return this.#hosts.map(({ server, state, error }) => ({
      server,
      state,
      ...(error !== undefined && { error }),
    }))
  }

  close(): void {
    this.#isClosed = true
    for (const host of this.#hosts) this.#closeKept(host)
  }
}

const isTrouble = (thrown: unknown): thrown is Fault => isFault(thrown) && TROUBLES.has(thrown.code)
