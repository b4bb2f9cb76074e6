import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { bind } from '#client/ldap/bind.ts'
import { LdapHosts } from '#client/ldap/hosts.ts'
import { LDAP_TIMES } from '#client/ldap/server.ts'
import type { DirectorySource, Origin } from '#model/source.ts'
import type { Directory } from '#store/directory/directory.ts'
import { serversOf } from './read-source.ts'

/** Asks the sources of the directory whether passwords are right, over connections that are kept. */
export class SourceLogins {
  readonly #directory: Directory
  readonly #clock: Clock
  readonly #hosts = new Map<
    string,
    { readonly source: DirectorySource; readonly hosts: LdapHosts }
  >()

  constructor(directory: Directory, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
  }

  /** Throws a Fault where no host of the source answers, or there is no such source. */
  async check(origin: Origin, password: Octets): Promise<boolean> {
    const source = this.#directory.source(origin.source)
    if (source === undefined) throw new Fault('unavailable', `there is no source ${origin.source}`)
    const who = { kind: 'simple', dn: origin.dn, password } as const
    return this.#hostsOf(source).run((connection) => bind(connection, who))
  }

  #hostsOf(source: DirectorySource): LdapHosts {
    const known = this.#hosts.get(source.name)
    if (known?.source === source) return known.hosts
    known?.hosts.close()
    const hosts = new LdapHosts(serversOf(source), { clock: this.#clock, times: LDAP_TIMES })
    this.#hosts.set(source.name, { source, hosts })
    return hosts
  }
}
