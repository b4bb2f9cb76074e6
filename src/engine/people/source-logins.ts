import { Semaphore } from '#base/deadline.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { askBind, isRightBy } from '#client/ldap/bind.ts'
import type { LdapIdentity } from '#client/ldap/bind.ts'
import { LdapHosts } from '#client/ldap/hosts.ts'
import { isOfServer, resultFault } from '#client/ldap/results.ts'
import { LDAP_TIMES } from '#client/ldap/server.ts'
import type { DirectorySource, Origin } from '#model/source.ts'
import type { Directory } from '#store/directory/directory.ts'
import { serversOf } from './read-source.ts'

/** Binds at once at one source, and how many wait for their turn. */
const AT_ONCE = 16
const WAITING_MAX = 500
/** A source that does not answer is asked again after this, by one login; the others do not wait for it. */
const AGAIN_MS = 2 * SECOND_MS

interface Asked {
  readonly source: DirectorySource
  readonly hosts: LdapHosts
  readonly places: Semaphore
  /** Of no host was there an answer. */
  trouble?: { readonly fault: Fault; untilMs: number }
}

/** Asks the sources of the directory whether passwords are right, over connections that are kept. */
export class SourceLogins {
  readonly #directory: Pick<Directory, 'source'>
  readonly #clock: Clock
  readonly #asked = new Map<string, Asked>()

  constructor(directory: Pick<Directory, 'source'>, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
  }

  /**
   * Throws a Fault where no host of the source answers, there is no such source, or it says neither yes
   * nor no; at once where it has just been silent.
   */
  async check(origin: Origin, password: Octets): Promise<boolean> {
    const source = this.#directory.source(origin.source)
    if (source === undefined) throw new Fault('unavailable', `there is no source ${origin.source}`)
    const asked = this.#askedOf(source)
    const nowMs = this.#clock.monotonicMs()
    if (asked.trouble !== undefined) {
      if (asked.trouble.untilMs > nowMs) throw asked.trouble.fault
      asked.trouble.untilMs = nowMs + AGAIN_MS
    }
    const answer = await this.#answer(asked, { kind: 'simple', dn: origin.dn, password })
    if (typeof answer !== 'boolean') throw answer
    return answer
  }

  /** What it says of this entry alone, a Fault too, is no reason to think that it is away. */
  async #answer(asked: Asked, who: LdapIdentity): Promise<boolean | Fault> {
    try {
      const answer = await asked.places.run(() =>
        asked.hosts.run(async (connection) => {
          const result = await askBind(connection, who)
          if (isOfServer(result)) throw resultFault(connection.server, result)
          return isRightBy(result) ?? resultFault(connection.server, result)
        }),
      )
      delete asked.trouble
      return answer
    } catch (thrown) {
      if (isFault(thrown) && thrown.code !== 'limit')
        asked.trouble = { fault: thrown, untilMs: this.#clock.monotonicMs() + AGAIN_MS }
      throw thrown
    }
  }

  #askedOf(source: DirectorySource): Asked {
    const known = this.#asked.get(source.name)
    if (known?.source === source) return known
    known?.hosts.close()
    const asked: Asked = {
      source,
      hosts: new LdapHosts(serversOf(source), { clock: this.#clock, times: LDAP_TIMES }),
      places: new Semaphore(AT_ONCE, WAITING_MAX),
    }
    this.#asked.set(source.name, asked)
    return asked
  }
}
