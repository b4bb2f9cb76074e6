import { memoryLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { parseFilter } from '#codec/ldap/filter.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import type { LdapControl, LdapEntry, SearchAsk } from '#codec/ldap/message.ts'
import type { AccountId } from '#model/account.ts'
import { TlsIdentity } from '#net/tls.ts'
import type { RowsListener } from '#server/ldap/address-book.ts'
import { ldapShared, serveLdap } from '#server/ldap/serve.ts'
import type { LdapLimits, LdapListener } from '#server/ldap/serve.ts'
import { createAuthenticator } from '#store/directory/login.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { fakeCertificate } from './identity.ts'

/** The filter of a text; throws where it is none. */
export function filterOf(text: string): Filter {
  const parsed = parseFilter(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error}`)
  return parsed.value
}

/** A listener over some rows, and its clients. */
export class LdapBook {
  readonly directory: MemoryDirectory
  readonly log = memoryLog()
  certificate = ''
  resultsMax = 1_000
  withGroups = true
  listener: LdapListener | undefined
  tlsListener: LdapListener | undefined
  readonly #listeners: RowsListener[] = []
  readonly #limits: Partial<LdapLimits>
  readonly #allowPlaintext: boolean
  readonly #connections: LdapConnection[] = []

  constructor(
    rows: readonly DirectoryRow[],
    limits: Partial<LdapLimits> = {},
    options: { readonly allowPlaintext?: boolean } = {},
  ) {
    this.directory = new MemoryDirectory(rows)
    this.#limits = limits
    this.#allowPlaintext = options.allowPlaintext === true
  }

  async start(): Promise<void> {
    const pem = await fakeCertificate()
    this.certificate = pem.certificate
    const identity = new TlsIdentity(pem)
    const { directory, log } = this
    const shared = ldapShared({
      directory,
      clock: systemClock,
      onRows: (listener) => void this.#listeners.push(listener),
      withGroups: () => this.withGroups,
      resultsMax: () => this.resultsMax,
      limits: this.#limits,
    })
    const authenticator = createAuthenticator({
      directory,
      clock: systemClock,
      changes: (listener) =>
        void this.#listeners.push((keys) => listener(keys === 'all' ? keys : accountsOf(keys))),
    })
    const open = (tls: 'starttls' | 'implicit') =>
      serveLdap({
        listen: { address: '127.0.0.1', port: 0 },
        tls,
        identity: () => identity,
        authenticator,
        allowPlaintext: () => this.#allowPlaintext,
        shared,
        clock: systemClock,
        log,
      })
    this.listener = await open('starttls')
    this.tlsListener = await open('implicit')
  }

  /** As a node does when rows have come. */
  readonly tell: RowsListener = (keys) => {
    for (const listener of this.#listeners) listener(keys)
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.close()
    await Promise.all([this.listener?.close(0), this.tlsListener?.close(0)])
  }

  get port(): number {
    return this.listener?.port ?? 0
  }

  async connect(tls: 'none' | 'starttls' | 'implicit' = 'starttls'): Promise<LdapConnection> {
    const port = tls === 'implicit' ? this.tlsListener?.port : this.port
    const server = { host: 'localhost', port: port ?? 0, tls, ca: this.certificate } as const
    const times = { connectMs: 10_000, answerMs: 20_000, besideMs: 10_000 }
    const connection = await LdapConnection.open(server, { clock: systemClock, times })
    this.#connections.push(connection)
    return connection
  }

  async login(name: string, password: string): Promise<LdapConnection> {
    const connection = await this.connect()
    const code = await simpleBind(connection, name, password)
    if (code !== 0) throw new Error(`${name}: ${code}`)
    return connection
  }
}

const accountsOf = (keys: readonly string[]): ReadonlySet<AccountId> =>
  new Set(keys.map((key) => key.replace(/^account:/, '') as AccountId))

/** The code of its result. */
export async function simpleBind(
  connection: LdapConnection,
  dn: string,
  password: string,
): Promise<number> {
  const by = { kind: 'simple', password: fromUtf8(password) } as const
  return (await connection.ask({ op: 'bind', dn, by })).result.code
}

/** What a search found, how it ended, and what came with that. */
export async function find(
  connection: LdapConnection,
  filter: string | Filter,
  options: Partial<SearchAsk> & { readonly controls?: readonly LdapControl[] } = {},
): Promise<{
  readonly entries: readonly LdapEntry[]
  readonly code: number
  readonly controls: readonly LdapControl[]
}> {
  const { controls: asked = [], ...ask } = options
  const entries: LdapEntry[] = []
  const request = {
    op: 'search',
    base: '',
    scope: 'subtree',
    attributes: [],
    filter: typeof filter === 'string' ? filterOf(filter) : filter,
    ...ask,
  } as const
  for await (const messages of connection.answers(request, { controls: asked }))
    for (const { response, controls } of messages) {
      if (response.op === 'entry') entries.push(response.entry)
      if (response.op === 'result') return { entries, code: response.result.code, controls }
    }
  throw new Error('no result')
}
