import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId, Alias, Forward, LocalDomain } from '#model/account.ts'
import { addressKey, domainKey, matchKey } from '#model/address.ts'
import type { RouteRow } from '#model/route.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryKey, DirectoryRow } from './directory.ts'
import { iterationsOf } from './scram-keys.ts'

/** The rows of a directory by what they are looked up by; filled in the order of their creation. */
export class DirectoryMaps {
  readonly domains = new Map<string, LocalDomain>()
  readonly accounts = new Map<AccountId, Account>()
  readonly byAddress = new Map<string, AccountId>()
  readonly byExternalId = new Map<string, AccountId>()
  readonly aliases = new Map<string, Alias>()
  readonly forwards = new Map<AccountId, Forward>()
  readonly routes = new Map<string, RouteRow>()
  readonly sources = new Map<string, DirectorySource>()
  readonly scram = { lacking: 0, iterations: new Map<number, number>() }

  /** The number of rows. */
  get size(): number {
    const { domains, accounts, aliases, forwards, routes, sources } = this
    return [domains, accounts, aliases, forwards, routes, sources].reduce(
      (sum, { size }) => sum + size,
      0,
    )
  }

  row(key: DirectoryKey): DirectoryRow | undefined {
    const colon = key.indexOf(':')
    const name = key.slice(colon + 1)
    switch (key.slice(0, colon)) {
      case 'domain':
        return rowOf('domain', this.domains.get(name))
      case 'account':
        return rowOf('account', this.accounts.get(name as AccountId))
      case 'alias':
        return rowOf('alias', this.aliases.get(name))
      case 'forward':
        return rowOf('forward', this.forwards.get(name as AccountId))
      case 'route':
        return rowOf('route', this.routes.get(name))
      case 'source':
        return rowOf('source', this.sources.get(name))
      default:
        return undefined
    }
  }

  put(row: DirectoryRow): void {
    switch (row.kind) {
      case 'domain':
        this.domains.set(domainKey(row.domain.name), row.domain)
        return
      case 'account':
        this.#forgetAccount(row.account.id)
        this.accounts.set(row.account.id, row.account)
        this.#countScram(row.account, 1)
        for (const key of addressKeysOf(row.account)) this.byAddress.set(key, row.account.id)
        if (row.account.externalId !== undefined)
          this.byExternalId.set(row.account.externalId, row.account.id)
        return
      case 'alias':
        this.aliases.set(addressKey(row.alias.from), row.alias)
        return
      case 'forward':
        this.forwards.set(row.forward.accountId, row.forward)
        return
      case 'route':
        this.routes.set(matchKey(row.route.match), row.route)
        return
      case 'source':
        this.sources.set(row.source.name, row.source)
    }
  }

  remove(key: DirectoryKey): void {
    const colon = key.indexOf(':')
    const name = key.slice(colon + 1)
    switch (key.slice(0, colon)) {
      case 'domain':
        this.domains.delete(name)
        return
      case 'account':
        this.#forgetAccount(name as AccountId)
        this.accounts.delete(name as AccountId)
        return
      case 'alias':
        this.aliases.delete(name)
        return
      case 'forward':
        this.forwards.delete(name as AccountId)
        return
      case 'route':
        this.routes.delete(name)
        return
      case 'source':
        this.sources.delete(name)
    }
  }

  #forgetAccount(id: AccountId): void {
    const account = this.accounts.get(id)
    if (account === undefined) return
    this.#countScram(account, -1)
    for (const key of addressKeysOf(account))
      if (this.byAddress.get(key) === id) this.byAddress.delete(key)
    if (account.externalId !== undefined && this.byExternalId.get(account.externalId) === id)
      this.byExternalId.delete(account.externalId)
  }

  #countScram({ credential, bind, scram, disabled }: Account, sign: 1 | -1): void {
    if (disabled || (credential === undefined && bind === undefined)) return
    if (scram === undefined) {
      this.scram.lacking += sign
      return
    }
    const { iterations } = this.scram
    const key = iterationsOf(scram)
    const count = (iterations.get(key) ?? 0) + sign
    if (count === 0) iterations.delete(key)
    else iterations.set(key, count)
  }
}

const rowOf = (kind: DirectoryRow['kind'], value: unknown): DirectoryRow | undefined =>
  value === undefined ? undefined : ({ kind, [kind]: value } as unknown as DirectoryRow)

const addressKeysOf = (account: Account): string[] => [
  addressKey(mainAddressOf(account)),
  ...account.addresses.map(addressKey),
]
