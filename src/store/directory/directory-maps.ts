import { mainAddressOf } from '#model/account.ts'
import type { Account, Alias, Forward, LocalDomain } from '#model/account.ts'
import { addressKey, domainKey, matchKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { RouteRow } from '#model/route.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryKey, DirectoryRow } from './directory.ts'
import { PackedRows } from './packed/packed-rows.ts'
import { iterationsOf } from './scram-keys.ts'

/**
 * The rows of a directory by what they are looked up by. Kinds of which there are few are in the order
 * of their creation, and the first domain is the default one; those of people are packed.
 */
export class DirectoryMaps {
  readonly domains = new Map<string, LocalDomain>()
  readonly accounts = new PackedRows<Account>({ nameOf: ({ id }) => id, alsoOf: furtherKeysOf })
  readonly aliases = new PackedRows<Alias>({ nameOf: ({ from }) => addressKey(from) })
  readonly forwards = new PackedRows<Forward>({ nameOf: ({ accountId }) => accountId })
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
        return rowOf('account', this.accounts.get(name))
      case 'alias':
        return rowOf('alias', this.aliases.get(name))
      case 'forward':
        return rowOf('forward', this.forwards.get(name))
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
        this.#countScram(this.accounts.get(row.account.id), -1)
        this.accounts.put(row.account)
        this.#countScram(row.account, 1)
        return
      case 'alias':
        this.aliases.put(row.alias)
        return
      case 'forward':
        this.forwards.put(row.forward)
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
        this.#countScram(this.accounts.get(name), -1)
        this.accounts.delete(name)
        return
      case 'alias':
        this.aliases.delete(name)
        return
      case 'forward':
        this.forwards.delete(name)
        return
      case 'route':
        this.routes.delete(name)
        return
      case 'source':
        this.sources.delete(name)
    }
  }

  #countScram(account: Account | undefined, sign: 1 | -1): void {
    if (account === undefined) return
    const { credential, bind, scram, disabled, deletedAt } = account
    if (disabled || deletedAt !== undefined || (credential === undefined && bind === undefined))
      return
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

/** An account is found by each of its addresses, those of before, and by what others call it. */
function furtherKeysOf(account: Account): string[] {
  const keys = [addressKey(mainAddressOf(account)), ...account.addresses.map(addressKey)]
  for (const { address } of account.formerAddresses ?? []) keys.push(formerKey(address))
  return account.externalId === undefined ? keys : [...keys, externalKey(account.externalId)]
}

/** Of an address that it had before. */
export const formerKey = (address: Address): string => `\u0001${addressKey(address)}`

/** No address has a NUL in it. */
export const externalKey = (externalId: string): string => `\0${externalId}`
