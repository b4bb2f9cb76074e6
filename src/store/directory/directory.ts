import type {
  Account,
  AccountId,
  Alias,
  FormerAddress,
  Forward,
  LocalDomain,
} from '#model/account.ts'
import type { Moment } from '#model/account-life.ts'
import type { Address } from '#model/address.ts'
import type { Choices } from '#model/choices.ts'
import type { ListMember, MemberRef } from '#model/list-member.ts'
import type { MailingList, NamedList } from '#model/list.ts'
import type { DatedPlan } from '#model/plan.ts'
import type { RouteRow } from '#model/route.ts'
import type { DirectorySource } from '#model/source.ts'

/** One row of the directory; the log of rows is sequenced and replicated into each node. */
export type DirectoryRow =
  | { readonly kind: 'domain'; readonly domain: LocalDomain }
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'alias'; readonly alias: Alias }
  | { readonly kind: 'forward'; readonly forward: Forward }
  | { readonly kind: 'choices'; readonly choices: Choices }
  | { readonly kind: 'route'; readonly route: RouteRow }
  | { readonly kind: 'source'; readonly source: DirectorySource }
  | { readonly kind: 'plan'; readonly plan: DatedPlan }
  | { readonly kind: 'list'; readonly list: MailingList }
  | { readonly kind: 'member'; readonly member: ListMember }

/** Names a row whatever its content: `account:ID`, `alias:from@x`, `domain:x`, `forward:ID`, `choices:ID`, `route:match`, `source:NAME`, `plan:ID`, `list:ID`, `member:LIST:REF`. */
export type DirectoryKey = string

/** One change of the log: the row as it is from now on, or its removal. */
export interface DirectoryChange {
  readonly seq: number
  readonly key: DirectoryKey
  readonly row: DirectoryRow | null
}

/** Who could log in by SCRAM, counted as rows come and go. */
export interface ScramCounts {
  /** Accounts that can log in by password but not by SCRAM. */
  readonly lacking: number
  /** How many keys of enabled accounts have each number of iterations. */
  readonly iterations: ReadonlyMap<number, number>
}

/** How many rows there are of the kinds that grow. */
export interface DirectoryCounts {
  readonly accounts: number
  readonly aliases: number
  readonly forwards: number
  readonly lists: number
  /** Those whose time in a list is over count, too. */
  readonly members: number
}

/**
 * Rows in no order, to be gone through once, each made when its turn comes: a pass over all of them
 * takes half a second for 200,000, and may stop for others on its way.
 */
export type Rows<T> = IteratorObject<T, undefined>

/** Whose address it was. */
export interface FormerOwner {
  readonly account: Account
  readonly former: FormerAddress
}

/** Look-ups from memory inside the socket process; synchronous, always the last good copy. */
export interface Directory {
  /** 0 while no copy has been read yet: then every look-up is `unavailable`, never "no such user". */
  readonly seq: number
  readonly defaultDomain: string | undefined
  readonly scram: ScramCounts
  readonly counts: DirectoryCounts
  /** What time it is for accounts that begin and end. */
  readonly moment: Moment
  domain(name: string): LocalDomain | undefined
  domains(): readonly LocalDomain[]
  account(id: AccountId): Account | undefined
  accounts(): Rows<Account>
  /** A bare user name of the default domain, or any address of the account, former ones too while they are kept; case ignored. */
  byLogin(login: string): Account | undefined
  /** By username@domain or a further address; no conversion, no alias, detail not cut. */
  byAddress(address: Address): Account | undefined
  /** Whose main address it was before, as long as a row says so. */
  byFormerAddress(address: Address): FormerOwner | undefined
  /** Whom another system knows by this. */
  byExternalId(externalId: string): Account | undefined
  /** Whose account an entry of a source is, by the key that it is known by there. */
  byOrigin(source: string, key: string): Account | undefined
  alias(address: Address): Alias | undefined
  aliases(): Rows<Alias>
  forward(id: AccountId): Forward | undefined
  forwards(): Rows<Forward>
  /** What somebody has chosen of the own mail. */
  choices(id: AccountId): Choices | undefined
  list(id: AccountId): MailingList | undefined
  /** By any of its addresses, those of its purposes too; detail not cut. One that was deleted is found as well. */
  listByAddress(address: Address): NamedList | undefined
  lists(): Rows<MailingList>
  /** The row of `memberKey`. */
  member(list: AccountId, key: string): ListMember | undefined
  /** All rows of a list, those whose time is over and those who are kept out too; 10,000 take some ten ms. */
  members(list: AccountId): Rows<ListMember>
  /** The rows that name this account; in which lists it is by a group or another list they do not say. */
  listsOf(account: AccountId): Rows<ListMember>
  /** The rows that name exactly this. */
  listsWith(who: MemberRef): Rows<ListMember>
  /** Those rows of a list that may stand for many: lists, groups and filters. */
  membersOfMany(list: AccountId): Rows<ListMember>
  /** The row of exactly this `user@domain` or `domain`. */
  route(match: string): RouteRow | undefined
  routes(): readonly RouteRow[]
  plan(id: string): DatedPlan | undefined
  /** Those to come, and those that are done. */
  plans(): readonly DatedPlan[]
  source(name: string): DirectorySource | undefined
  /** In their order. */
  sources(): readonly DirectorySource[]
}
