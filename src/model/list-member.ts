import type { AccountId } from './account.ts'
import { addressKey } from './address.ts'
import type { Address } from './address.ts'
import type { MemberDelivery } from './list-words.ts'

/** Who is in a list, or kept out of it; one row each. */
export interface ListMember {
  readonly list: AccountId
  readonly who: MemberRef
  /** `excluded`: whoever is meant by it gets nothing, whatever else has them in. */
  readonly as: 'member' | 'excluded'
  readonly delivery: MemberDelivery
  /**
   * From when until when, oldest first, none over another one: what tells who was in on a day. Who was
   * taken out keeps the row, with its last term closed.
   */
  readonly terms: readonly MemberTerm[]
  /** Who added it, as the directory's log names them. */
  readonly addedBy?: string
  /** Of a filter: whom it named when its source was asked last. */
  readonly resolved?: ResolvedFilter
  /** Of a filter: why that is not what its source says now. */
  readonly trouble?: FilterTrouble
}

export type MemberRef =
  | { readonly kind: 'account'; readonly id: AccountId }
  | { readonly kind: 'list'; readonly id: AccountId }
  /** An alias of the directory, which is a group. */
  | { readonly kind: 'group'; readonly address: Address }
  /** Entries of a source (RFC 4515), as far as they are accounts here; of `ALL_PEOPLE` the accounts themselves. */
  | {
      readonly kind: 'filter'
      readonly source: string
      readonly base?: string
      readonly filter: string
    }
  /** Somebody elsewhere. */
  | { readonly kind: 'address'; readonly address: Address; readonly name?: string }

/** Both in ISO 8601 and UTC; `until` is the first moment after it. */
export interface MemberTerm {
  readonly from: string
  readonly until?: string
}

export interface ResolvedFilter {
  readonly asOf: string
  readonly accounts: readonly AccountId[]
}

/** While it lasts, whom the filter named before stands. */
export interface FilterTrouble {
  readonly why:
    | 'away' // no server of the source answers
    | 'held' // far fewer than before: somebody has to say that it is meant
    | 'refused' // the source does not answer this filter
  readonly since: string
  /** One line. */
  readonly text: string
}

/** The row without what asking a source adds to it: what somebody has changed, or not. */
export function withoutAnswer(member: ListMember): ListMember {
  const { resolved: _, trouble: _t, ...row } = member
  return row
}

/** Names a member within its list; nobody is a member twice, but who is a member may be excluded as well. */
export function memberKey({ who, as }: Pick<ListMember, 'who' | 'as'>): string {
  return `${as === 'excluded' ? '-' : ''}${refKey(who)}`
}

/** Of whom or what it is, without a look at how. */
export function refKey(who: MemberRef): string {
  switch (who.kind) {
    case 'account':
    case 'list':
      return `${who.kind}:${who.id}`
    case 'group':
    case 'address':
      return `${who.kind}:${addressKey(who.address)}`
    case 'filter':
      return `filter:${who.source}:${who.base ?? ''}?${who.filter}`
  }
}

/** Whether it is one person or address, and not whoever is in something. */
export const isOne = ({ kind }: MemberRef): boolean => kind === 'account' || kind === 'address'

/** Whether a member of these terms is one at that moment. */
export const isInAt = (terms: readonly MemberTerm[], atMs: number): boolean =>
  terms.some(
    ({ from, until }) =>
      Date.parse(from) <= atMs && (until === undefined || Date.parse(until) > atMs),
  )

/** Whether it is one now, or is going to be. */
export const isInFrom = (terms: readonly MemberTerm[], atMs: number): boolean => {
  const last = terms.at(-1)
  return last !== undefined && (last.until === undefined || Date.parse(last.until) > atMs)
}
