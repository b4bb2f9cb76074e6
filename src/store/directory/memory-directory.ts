import type { Account, AccountId, Alias, Forward, LocalDomain } from '#model/account.ts'
import { addressKey, domainKey, matchKey, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { RouteRow } from '#model/route.ts'
import type { Directory, DirectoryChange, DirectoryKey, DirectoryRow } from './directory.ts'

/** Conversions from domain to domain that a login may take; longer chains are refused when saved. */
const CONVERSIONS_MAX = 10

/**
 * The directory in memory, made from rows and kept up by changes. Look-ups ignore ASCII case and
 * compare in NFC. The first domain created is the default one.
 */
export class MemoryDirectory implements Directory {
  #seq: number
  readonly #domains = new Map<string, LocalDomain>()
  readonly #accounts = new Map<AccountId, Account>()
  readonly #byAddress = new Map<string, AccountId>()
  readonly #aliases = new Map<string, Alias>()
  readonly #forwards = new Map<AccountId, Forward>()
  readonly #routes = new Map<string, RouteRow>()

  constructor(rows: readonly DirectoryRow[] = [], seq = rows.length) {
    this.#seq = seq
    for (const row of rows) this.#put(row)
  }

  get seq(): number {
    return this.#seq
  }

  get defaultDomain(): string | undefined {
    return this.#domains.keys().next().value
  }

  /** Takes the changes in order; those that are known already change nothing. */
  apply(changes: readonly DirectoryChange[]): void {
    for (const change of changes) {
      if (change.seq <= this.#seq) continue
      if (change.row === null) this.#remove(change.key)
      else this.#put(change.row)
      this.#seq = change.seq
    }
  }

  /** Forgets everything and holds exactly these rows, in the order of their creation. */
  reset(seq: number, rows: readonly DirectoryRow[]): void {
    for (const map of [
      this.#domains,
      this.#accounts,
      this.#byAddress,
      this.#aliases,
      this.#forwards,
      this.#routes,
    ])
      map.clear()
    for (const row of rows) this.#put(row)
    this.#seq = seq
  }

  /** Rows put for a trial, seen by every look-up until `end` takes them all back. */
  trial(): { put(key: DirectoryKey, row: DirectoryRow | null): void; end(): void } {
    const domains = [...this.#domains]
    const undo: (readonly [DirectoryKey, DirectoryRow | null])[] = []
    const put = (key: DirectoryKey, row: DirectoryRow | null): void =>
      row === null ? this.#remove(key) : this.#put(row)
    return {
      put: (key, row) => {
        undo.push([key, this.#row(key) ?? null])
        put(key, row)
      },
      end: () => {
        for (const [key, row] of undo.toReversed()) put(key, row)
        this.#domains.clear()
        for (const [name, domain] of domains) this.#domains.set(name, domain)
      },
    }
  }

  domain(name: string): LocalDomain | undefined {
    return this.#domains.get(domainKey(name))
  }

  domains(): readonly LocalDomain[] {
    return [...this.#domains.values()]
  }

  account(id: AccountId): Account | undefined {
    return this.#accounts.get(id)
  }

  accounts(): readonly Account[] {
    return [...this.#accounts.values()]
  }

  byLogin(login: string): Account | undefined {
    if (!login.includes('@')) {
      const domain = this.defaultDomain
      return domain === undefined ? undefined : this.byAddress({ localpart: login, domain })
    }
    const address = parseAddress(login)
    if (!address.ok) return undefined
    let { localpart, domain } = address.value
    for (let conversions = 0; conversions <= CONVERSIONS_MAX; conversions++) {
      const account = this.byAddress({ localpart, domain })
      if (account !== undefined) return account
      const next = this.domain(domain)?.convertTo
      if (next === undefined) return undefined
      domain = next
    }
    return undefined
  }

  byAddress(address: Address): Account | undefined {
    const id = this.#byAddress.get(addressKey(address))
    return id === undefined ? undefined : this.#accounts.get(id)
  }

  alias(address: Address): Alias | undefined {
    return this.#aliases.get(addressKey(address))
  }

  aliases(): readonly Alias[] {
    return [...this.#aliases.values()]
  }

  forward(id: AccountId): Forward | undefined {
    return this.#forwards.get(id)
  }

  forwards(): readonly Forward[] {
    return [...this.#forwards.values()]
  }

  route(match: string): RouteRow | undefined {
    return this.#routes.get(matchKey(match))
  }

  routes(): readonly RouteRow[] {
    return [...this.#routes.values()]
  }

  #row(key: DirectoryKey): DirectoryRow | undefined {
    const colon = key.indexOf(':')
    const name = key.slice(colon + 1)
    switch (key.slice(0, colon)) {
      case 'domain':
        return rowOf('domain', this.#domains.get(name))
      case 'account':
        return rowOf('account', this.#accounts.get(name as AccountId))
      case 'alias':
        return rowOf('alias', this.#aliases.get(name))
      case 'forward':
        return rowOf('forward', this.#forwards.get(name as AccountId))
      case 'route':
        return rowOf('route', this.#routes.get(name))
      default:
        return undefined
    }
  }

  #put(row: DirectoryRow): void {
    switch (row.kind) {
      case 'domain':
        this.#domains.set(domainKey(row.domain.name), row.domain)
        return
      case 'account':
        this.#forgetAccount(row.account.id)
        this.#accounts.set(row.account.id, row.account)
        for (const key of addressKeysOf(row.account)) this.#byAddress.set(key, row.account.id)
        return
      case 'alias':
        this.#aliases.set(addressKey(row.alias.from), row.alias)
        return
      case 'forward':
        this.#forwards.set(row.forward.accountId, row.forward)
        return
      case 'route':
        this.#routes.set(matchKey(row.route.match), row.route)
    }
  }

  #remove(key: DirectoryKey): void {
    const colon = key.indexOf(':')
    const name = key.slice(colon + 1)
    switch (key.slice(0, colon)) {
      case 'domain':
        this.#domains.delete(name)
        return
      case 'account':
        this.#forgetAccount(name as AccountId)
        this.#accounts.delete(name as AccountId)
        return
      case 'alias':
        this.#aliases.delete(name)
        return
      case 'forward':
        this.#forwards.delete(name as AccountId)
        return
      case 'route':
        this.#routes.delete(name)
    }
  }

  #forgetAccount(id: AccountId): void {
    const account = this.#accounts.get(id)
    if (account === undefined) return
    for (const key of addressKeysOf(account))
      if (this.#byAddress.get(key) === id) this.#byAddress.delete(key)
  }
}

const rowOf = (kind: DirectoryRow['kind'], value: unknown): DirectoryRow | undefined =>
  value === undefined ? undefined : ({ kind, [kind]: value } as unknown as DirectoryRow)

const addressKeysOf = (account: Account): string[] => [
  addressKey({ localpart: account.username, domain: account.domain }),
  ...account.addresses.map(addressKey),
]
