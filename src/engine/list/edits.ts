import { isDeepStrictEqual } from 'node:util'
import type { AccountId } from '#model/account.ts'
import { isInFrom, memberKey } from '#model/list-member.ts'
import type { ListMember, MemberRef, MemberTerm } from '#model/list-member.ts'
import type { MemberDelivery } from '#model/list-words.ts'
import { LIST_RULES } from '#model/list.ts'
import type { ListRules, MailingList } from '#model/list.ts'
import type { Address } from '#model/address.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'

/** A list as nobody has said anything about it. */
export const newList = (
  id: AccountId,
  address: Address,
  more: Partial<ListRules> & Partial<Pick<MailingList, 'name' | 'owners' | 'addresses'>> = {},
): MailingList => ({
  ...LIST_RULES,
  id,
  address,
  addresses: [],
  owners: [],
  moderators: [],
  ...more,
})

/** How somebody is to be in a list; what is not said stays as it is, or is as usual. */
export interface MemberWish {
  readonly who: MemberRef
  readonly as?: ListMember['as']
  readonly delivery?: MemberDelivery
  /** The first moment after it, in ISO 8601; null: it has no end. */
  readonly until?: string | null
}

/** Who changes a list, and when. */
export interface MemberAct {
  readonly list: AccountId
  readonly atMs: number
  readonly by: string
}

/** Undefined where it is so already. */
export function wished(
  now: Directory,
  wish: MemberWish,
  { list, atMs, by }: MemberAct,
): ListMember | undefined {
  const { who, as = 'member', delivery, until } = wish
  const before = now.member(list, memberKey({ who, as }))
  const end = until === null || until === undefined ? {} : { until }
  const from = new Date(atMs).toISOString()
  if (before === undefined)
    return { list, who, as, delivery: delivery ?? 'each', terms: [{ from, ...end }], addedBy: by }
  const isIn = isInFrom(before.terms, atMs)
  const after: ListMember = {
    ...before,
    ...(delivery !== undefined && { delivery }),
    ...(isIn
      ? until !== undefined && { terms: withEnd(before.terms, until) }
      : { terms: [...before.terms, { from, ...end }], addedBy: by }),
  }
  return isDeepStrictEqual(before, after) ? undefined : after
}

const withEnd = (terms: readonly MemberTerm[], until: string | null): readonly MemberTerm[] => {
  const last = terms.at(-1)!
  return [...terms.slice(0, -1), { from: last.from, ...(until !== null && { until }) }]
}

/** What takes a member out: the row stays, with an end; undefined where it is out already. */
export function withoutMember(member: ListMember, atMs: number): DirectoryEdit | undefined {
  const { terms } = member
  if (!isInFrom(terms, atMs)) return undefined
  const last = terms.at(-1)!
  const until = new Date(atMs).toISOString()
  // What was still to come has never been.
  const left = Date.parse(last.from) < atMs ? withEnd(terms, until) : terms.slice(0, -1)
  if (left.length > 0)
    return { kind: 'put', row: { kind: 'member', member: { ...member, terms: left } } }
  return { kind: 'remove', key: `member:${member.list}:${memberKey(member)}` }
}
