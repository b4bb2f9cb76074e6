import { mainAddressOf } from '#model/account.ts'
import type { Account, Alias, Forward, LocalDomain } from '#model/account.ts'
import { addressKey, hasAddressKey, domainKey, matchKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Choices } from '#model/choices.ts'
import { isOne, memberKey, refKey } from '#model/list-member.ts'
import type { ListMember } from '#model/list-member.ts'
import { addressesOfList } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { DatedPlan } from '#model/plan.ts'
import type { RouteRow } from '#model/route.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryKey, DirectoryRow } from './directory.ts'
import { PackedRows } from './packed/packed-rows.ts'
import type { PackedParts, RowKeys } from './packed/packed-rows.ts'
import { iterationsOf, scramBasisOf } from './scram-keys.ts'

/**
 * The rows of a directory by what they are looked up by. Kinds of which there are few are in the order
 * of their creation, and the first domain is the default one; those of people are packed.
 */
export class DirectoryMaps {
  readonly domains = new Map<string, LocalDomain>()
  readonly accounts: PackedRows<Account>
  readonly aliases: PackedRows<Alias>
  readonly forwards: PackedRows<Forward>
  readonly choices: PackedRows<Choices>
  readonly lists: PackedRows<MailingList>
  readonly members: PackedRows<ListMember>
  readonly routes = new Map<string, RouteRow>()
  readonly sources = new Map<string, DirectorySource>()
  readonly plans = new Map<string, DatedPlan>()
  readonly scram = { lacking: 0, iterations: new Map<number, number>() }

  constructor(parts?: DirectoryParts) {
    this.accounts = new PackedRows(ACCOUNTS, parts?.packed.accounts)
    this.aliases = new PackedRows(ALIASES, parts?.packed.aliases)
    this.forwards = new PackedRows(FORWARDS, parts?.packed.forwards)
    this.choices = new PackedRows(CHOICES, parts?.packed.choices)
    this.lists = new PackedRows(LISTS, parts?.packed.lists)
    this.members = new PackedRows(MEMBERS, parts?.packed.members)
    if (parts === undefined) return
    for (const row of parts.few) this.put(row)
    this.scram.lacking = parts.scram.lacking
    for (const [iterations, count] of parts.scram.iterations)
      this.scram.iterations.set(iterations, count)
  }

  /** All rows as they stand; changes after this call are not seen. */
  parts(): DirectoryParts {
    const { accounts, aliases, forwards, choices, lists, members } = this
    const { domains, routes, sources, plans, scram } = this
    return {
      packed: {
        accounts: accounts.parts(),
        aliases: aliases.parts(),
        forwards: forwards.parts(),
        choices: choices.parts(),
        lists: lists.parts(),
        members: members.parts(),
      },
      few: [
        ...[...domains.values()].map((domain): DirectoryRow => ({ kind: 'domain', domain })),
        ...[...routes.values()].map((route): DirectoryRow => ({ kind: 'route', route })),
        ...[...sources.values()].map((source): DirectoryRow => ({ kind: 'source', source })),
        ...[...plans.values()].map((plan): DirectoryRow => ({ kind: 'plan', plan })),
      ],
      scram: { lacking: scram.lacking, iterations: [...scram.iterations] },
    }
  }

  /** The number of rows. */
  get size(): number {
    const { domains, routes, sources, plans } = this
    const few = [domains, routes, sources, plans]
    return [...few, ...this.#packed()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Whether rows here and there are found by what they are found by now: not so in what is of another time. */
  isSound(): boolean {
    return this.#packed().every((rows) => rows.isSound())
  }

  #packed() {
    const { accounts, aliases, forwards, choices, lists, members } = this
    return [accounts, aliases, forwards, choices, lists, members]
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
      case 'choices':
        return rowOf('choices', this.choices.get(name))
      case 'route':
        return rowOf('route', this.routes.get(name))
      case 'source':
        return rowOf('source', this.sources.get(name))
      case 'plan':
        return rowOf('plan', this.plans.get(name))
      case 'list':
        return rowOf('list', this.lists.get(name))
      case 'member':
        return rowOf('member', this.members.get(name))
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
      case 'choices':
        this.choices.put(row.choices)
        return
      case 'route':
        this.routes.set(matchKey(row.route.match), row.route)
        return
      case 'source':
        this.sources.set(row.source.name, row.source)
        return
      case 'plan':
        this.plans.set(row.plan.id, row.plan)
        return
      case 'list':
        this.lists.put(row.list)
        return
      case 'member':
        this.members.put(row.member)
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
      case 'choices':
        this.choices.delete(name)
        return
      case 'route':
        this.routes.delete(name)
        return
      case 'source':
        this.sources.delete(name)
        return
      case 'plan':
        this.plans.delete(name)
        return
      case 'list':
        this.lists.delete(name)
        return
      case 'member':
        this.members.delete(name)
    }
  }

  #countScram(account: Account | undefined, sign: 1 | -1): void {
    if (account === undefined) return
    const { credential, bind, scram, disabled, deletedAt, appPasswords = [] } = account
    if (disabled || deletedAt !== undefined || (credential === undefined && bind === undefined))
      return
    const basis = scramBasisOf(scram ?? '')
    if (scram === undefined || appPasswords.some((each) => scramBasisOf(each.scram) !== basis)) {
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

/** What a directory is made of, as an image keeps it. */
export interface DirectoryParts {
  readonly packed: Readonly<
    Record<'accounts' | 'aliases' | 'forwards' | 'choices' | 'lists' | 'members', PackedParts>
  >
  /** Rows of kinds of which there are few, in the order of their creation. */
  readonly few: readonly DirectoryRow[]
  readonly scram: {
    readonly lacking: number
    readonly iterations: readonly (readonly [iterations: number, count: number])[]
  }
}

const rowOf = (kind: DirectoryRow['kind'], value: unknown): DirectoryRow | undefined =>
  value === undefined ? undefined : ({ kind, [kind]: value } as unknown as DirectoryRow)

/** An alias without a name or an origin, as most are: its address and those it leads to, part by part. */
function shortAlias(alias: Alias): string | undefined {
  if (Object.keys(alias).length !== 2) return undefined
  const parts = [alias.from, ...alias.to].flatMap(({ localpart, domain }) => [localpart, domain])
  return parts.some((part) => part.includes('\n')) ? undefined : `\n${parts.join('\n')}\n`
}

function aliasOfShort(text: string): Alias {
  const addresses: Address[] = []
  for (let at = 1; at < text.length;) {
    const middle = text.indexOf('\n', at)
    const end = text.indexOf('\n', middle + 1)
    addresses.push({ localpart: text.slice(at, middle), domain: text.slice(middle + 1, end) })
    at = end + 1
  }
  const [from, ...to] = addresses
  return { from: from!, to }
}

/** An account is found by each of its addresses, those of before, by what others call it, and by its entries in sources. */
function furtherKeysOf(account: Account): string[] {
  const keys = [addressKey(mainAddressOf(account)), ...account.addresses.map(addressKey)]
  for (const { address } of account.formerAddresses ?? []) keys.push(formerKey(addressKey(address)))
  for (const { source, key } of account.origins ?? []) keys.push(originKey(source, key))
  return account.externalId === undefined ? keys : [...keys, externalKey(account.externalId)]
}

/** Most are looked up by an address that they have, as it is written there. */
function hasFurtherKey(account: Account, key: string): boolean {
  return (
    account.addresses.some((address) => hasAddressKey(address, key)) ||
    hasAddressKey(mainAddressOf(account), key) ||
    furtherKeysOf(account).includes(key)
  )
}

/** Of the key of an address that it had before. */
export const formerKey = (key: string): string => `\u0001${key}`

/** No address has a NUL in it. */
export const externalKey = (externalId: string): string => `\0${externalId}`

/** Of an entry of a source; names of sources have no blanks. */
export const originKey = (source: string, key: string): string => `\u0002${source} ${key}`

// Who changes by what rows are found raises IMAGE_FORM, too: an older image would not find them.
const ACCOUNTS: RowKeys<Account> = {
  nameOf: ({ id }) => id,
  alsoOf: furtherKeysOf,
  hasAlso: hasFurtherKey,
}
const ALIASES: RowKeys<Alias> = {
  nameOf: ({ from }) => addressKey(from),
  isNamed: ({ from }, name) => hasAddressKey(from, name),
  shortOf: shortAlias,
  ofShort: aliasOfShort,
}
const FORWARDS: RowKeys<Forward> = { nameOf: ({ accountId }) => accountId }
const CHOICES: RowKeys<Choices> = { nameOf: ({ accountId }) => accountId }
const LISTS: RowKeys<MailingList> = {
  nameOf: ({ id }) => id,
  alsoOf: (list) => addressesOfList(list).map(({ address }) => addressKey(address)),
}
const MEMBERS: RowKeys<ListMember> = {
  nameOf: (member) => `${member.list}:${memberKey(member)}`,
  groups: 3,
  groupsOf: ({ list, who }) => [list, refKey(who), isOne(who) ? undefined : list],
}
/** The places of their groups. */
export const OF_LIST = 0
export const OF_REF = 1
export const OF_MANY = 2
