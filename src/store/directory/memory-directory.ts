import { systemClock } from '#base/time.ts'
import type { Account, AccountId, Alias, Forward, LocalDomain } from '#model/account.ts'
import { isKept, LIFE_RULES } from '#model/account-life.ts'
import type { Moment } from '#model/account-life.ts'
import { addressKey, domainKey, matchKey, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Choices } from '#model/choices.ts'
import { refKey } from '#model/list-member.ts'
import type { ListMember, MemberRef } from '#model/list-member.ts'
import { addressesOfList } from '#model/list.ts'
import type { MailingList, NamedList } from '#model/list.ts'
import type { DatedPlan } from '#model/plan.ts'
import type { RouteRow } from '#model/route.ts'
import type { DirectorySource } from '#model/source.ts'
import { AccountClock } from './account-clock.ts'
import {
  DirectoryMaps,
  OF_LIST,
  OF_MANY,
  OF_REF,
  externalKey,
  formerKey,
  originKey,
} from './directory-maps.ts'
import type { DirectoryParts } from './directory-maps.ts'
import type {
  Directory,
  DirectoryChange,
  DirectoryCounts,
  DirectoryKey,
  DirectoryRow,
  FormerOwner,
  Rows,
  ScramCounts,
} from './directory.ts'

/** Conversions from domain to domain that a login may take; longer chains are refused when saved. */
const CONVERSIONS_MAX = 10

interface KeyedAddress {
  readonly address: Address
  readonly key: string
}

const BY_THE_MACHINE = { clock: systemClock, rules: () => LIFE_RULES }

/**
 * The directory in memory, made from rows and kept up by changes. Look-ups ignore ASCII case and
 * compare in NFC. The first domain created is the default one.
 */
export class MemoryDirectory implements Directory {
  #seq: number
  #maps = new DirectoryMaps()
  readonly #clock: Pick<AccountClock, 'moment'>
  /** A recipient is looked up in many ways, with its detail and without. */
  #last: KeyedAddress | undefined
  #beforeLast: KeyedAddress | undefined

  /** `moment`: what time it is for accounts; else that of the machine. */
  constructor(
    rows: readonly DirectoryRow[] = [],
    seq = rows.length,
    clock: Pick<AccountClock, 'moment'> = new AccountClock(BY_THE_MACHINE),
  ) {
    this.#seq = seq
    this.#clock = clock
    for (const row of rows) this.#maps.put(row)
  }

  get seq(): number {
    return this.#seq
  }

  /** The number of rows. */
  get size(): number {
    return this.#maps.size
  }

  get counts(): DirectoryCounts {
    const { accounts, aliases, forwards, lists, members } = this.#maps
    return {
      accounts: accounts.size,
      aliases: aliases.size,
      forwards: forwards.size,
      lists: lists.size,
      members: members.size,
    }
  }

  get defaultDomain(): string | undefined {
    return this.#maps.domains.keys().next().value
  }

  get moment(): Moment {
    return this.#clock.moment
  }

  get scram(): ScramCounts {
    return this.#maps.scram
  }

  /** Takes the changes in order; those that are known already change nothing. */
  apply(changes: readonly DirectoryChange[]): void {
    for (const change of changes) {
      if (change.seq <= this.#seq) continue
      if (change.row === null) this.#maps.remove(change.key)
      else this.#maps.put(change.row)
      this.#seq = change.seq
    }
  }

  /** Holds what was read elsewhere, as it stood at `seq`, from now on: no look-up waits for it. */
  replace(seq: number, maps: DirectoryMaps): void {
    this.#maps = maps
    this.#seq = seq
  }

  /** Its rows as they stand, for an image. */
  parts(): DirectoryParts {
    return this.#maps.parts()
  }

  /** Rows put for a trial, seen by every look-up until `end` takes them all back. */
  trial(): { put(key: DirectoryKey, row: DirectoryRow | null): void; end(): void } {
    const maps = this.#maps
    const domains = [...maps.domains]
    const undo: (readonly [DirectoryKey, DirectoryRow | null])[] = []
    const put = (key: DirectoryKey, row: DirectoryRow | null): void =>
      row === null ? maps.remove(key) : maps.put(row)
    return {
      put: (key, row) => {
        undo.push([key, maps.row(key) ?? null])
        put(key, row)
      },
      end: () => {
        for (const [key, row] of undo.toReversed()) put(key, row)
        maps.domains.clear()
        for (const [name, domain] of domains) maps.domains.set(name, domain)
      },
    }
  }

  row(key: DirectoryKey): DirectoryRow | undefined {
    return this.#maps.row(key)
  }

  domain(name: string): LocalDomain | undefined {
    return this.#maps.domains.get(domainKey(name))
  }

  domains(): readonly LocalDomain[] {
    return [...this.#maps.domains.values()]
  }

  account(id: AccountId): Account | undefined {
    return this.#maps.accounts.get(id)
  }

  accounts(): Rows<Account> {
    return this.#maps.accounts.values()
  }

  byLogin(login: string): Account | undefined {
    if (!login.includes('@')) {
      const domain = this.defaultDomain
      return domain === undefined ? undefined : this.#owner({ localpart: login, domain })
    }
    const address = parseAddress(login)
    if (!address.ok) return undefined
    let { localpart, domain } = address.value
    for (let conversions = 0; conversions <= CONVERSIONS_MAX; conversions++) {
      const account = this.#owner({ localpart, domain })
      if (account !== undefined) return account
      const next = this.domain(domain)?.convertTo
      if (next === undefined) return undefined
      domain = next
    }
    return undefined
  }

  /** Also of a former address, while it is kept: programs go on with the login that they know. */
  #owner(address: Address): Account | undefined {
    const account = this.byAddress(address)
    if (account !== undefined) return account
    const owner = this.byFormerAddress(address)
    return owner !== undefined && isKept(owner.former, this.moment) ? owner.account : undefined
  }

  byAddress(address: Address): Account | undefined {
    return this.#maps.accounts.find(this.#keyOf(address))
  }

  #keyOf(address: Address): string {
    if (this.#last?.address === address) return this.#last.key
    if (this.#beforeLast?.address === address) return this.#beforeLast.key
    this.#beforeLast = this.#last
    this.#last = { address, key: addressKey(address) }
    return this.#last.key
  }

  byFormerAddress(address: Address): FormerOwner | undefined {
    const key = this.#keyOf(address)
    const account = this.#maps.accounts.find(formerKey(key))
    const former = account?.formerAddresses?.find((each) => addressKey(each.address) === key)
    return account === undefined || former === undefined ? undefined : { account, former }
  }

  byExternalId(externalId: string): Account | undefined {
    return this.#maps.accounts.find(externalKey(externalId))
  }

  byOrigin(source: string, key: string): Account | undefined {
    return this.#maps.accounts.find(originKey(source, key))
  }

  alias(address: Address): Alias | undefined {
    return this.#maps.aliases.get(this.#keyOf(address))
  }

  aliases(): Rows<Alias> {
    return this.#maps.aliases.values()
  }

  forward(id: AccountId): Forward | undefined {
    return this.#maps.forwards.get(id)
  }

  forwards(): Rows<Forward> {
    return this.#maps.forwards.values()
  }

  choices(id: AccountId): Choices | undefined {
    return this.#maps.choices.get(id)
  }

  list(id: AccountId): MailingList | undefined {
    return this.#maps.lists.get(id)
  }

  listByAddress(address: Address): NamedList | undefined {
    if (this.#maps.lists.size === 0) return undefined
    const key = this.#keyOf(address)
    const list = this.#maps.lists.find(key)
    const named = list && addressesOfList(list).find((each) => addressKey(each.address) === key)
    return list && named && { list, purpose: named.purpose }
  }

  lists(): Rows<MailingList> {
    return this.#maps.lists.values()
  }

  member(list: AccountId, key: string): ListMember | undefined {
    return this.#maps.members.get(`${list}:${key}`)
  }

  members(list: AccountId): Rows<ListMember> {
    return this.#maps.members.inGroup(OF_LIST, list)
  }

  listsOf(account: AccountId): Rows<ListMember> {
    return this.listsWith({ kind: 'account', id: account })
  }

  listsWith(who: MemberRef): Rows<ListMember> {
    return this.#maps.members.inGroup(OF_REF, refKey(who))
  }

  membersOfMany(list: AccountId): Rows<ListMember> {
    return this.#maps.members.inGroup(OF_MANY, list)
  }

  route(match: string): RouteRow | undefined {
    return this.#maps.routes.get(matchKey(match))
  }

  routes(): readonly RouteRow[] {
    return [...this.#maps.routes.values()]
  }

  plan(id: string): DatedPlan | undefined {
    return this.#maps.plans.get(id)
  }

  plans(): readonly DatedPlan[] {
    return [...this.#maps.plans.values()]
  }

  source(name: string): DirectorySource | undefined {
    return this.#maps.sources.get(name)
  }

  sources(): readonly DirectorySource[] {
    return [...this.#maps.sources.values()].toSorted((a, b) => a.order - b.order)
  }
}
