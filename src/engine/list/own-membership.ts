import { ok } from '#base/outcome.ts'
import type { MembershipActBody, MembershipEnd } from '#contract/node/membership.ts'
import type { Account, AccountId } from '#model/account.ts'
import { mayLogIn } from '#model/account-life.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { ListMember, MemberRef } from '#model/list-member.ts'
import type { MemberDelivery } from '#model/list-words.ts'
import type { MailingList } from '#model/list.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { Directory } from '#store/directory/directory.ts'

import { wished, withoutMember } from './edits.ts'
import type { MemberAct } from './edits.ts'
import { isMemberOf, ownRowsOf } from './membership.ts'
import type { Somebody } from './membership.ts'

/** Somebody who has shown who they are, and what they are called in the log. */
interface Self {
  readonly somebody: Somebody
  readonly ref: MemberRef
  readonly name: string
}

type Made = MembershipEnd | readonly DirectoryEdit[]

/**
 * What people do with their own place in a list, by the rules of the list: control's, who writes the
 * directory. Whoever asks has seen to it that they are who they say. Throws a Fault where the directory
 * cannot be written now.
 */
export async function changeOwnMembership(
  directory: Pick<DirectoryMaster, 'directory' | 'update'>,
  { list: id, who, act, by }: MembershipActBody,
  { from, atMs }: { readonly from: string; readonly atMs: number },
): Promise<MembershipEnd> {
  const known = selfOf(directory.directory, who)
  if (known === undefined) return 'notFound'
  let end: MembershipEnd = 'done'
  const said = by ?? known.name
  const done = await directory.update(
    (now) => {
      const list = now.list(id as AccountId)
      const self = selfOf(now, who)
      if (list === undefined || list.deletedAt !== undefined || self === undefined) {
        end = 'notFound'
        return ok([])
      }
      const changing: MemberAct = { list: list.id, atMs, by: said }
      const place = new OwnPlace(now, list, self, changing)
      const made =
        act === 'join'
          ? place.join(by !== undefined)
          : act === 'leave'
            ? place.leave()
            : place.get(act)
      end = typeof made === 'string' ? made : made.length === 0 ? 'same' : 'done'
      return ok(typeof made === 'string' ? [] : made)
    },
    { who: said, from },
  )
  return done.ok ? end : 'refused'
}

/** Whether the list lets this kind of people in when they ask for it; `approval`: when an owner says so. */
export function mayJoin(
  { subscription, isClosed }: Pick<MailingList, 'subscription' | 'isClosed'>,
  isOfDomain: boolean,
): 'yes' | 'approval' | 'no' {
  if (isClosed === true || subscription === 'closed') return 'no'
  if (subscription === 'approve') return 'approval'
  return subscription === 'domain' && !isOfDomain ? 'no' : 'yes'
}

/** One person's place in one list, as it stands. */
class OwnPlace {
  readonly #now: Directory
  readonly #list: MailingList
  readonly #self: Self
  readonly #act: MemberAct

  constructor(now: Directory, list: MailingList, self: Self, act: MemberAct) {
    this.#now = now
    this.#list = list
    this.#self = self
    this.#act = act
  }

  join(isApproved: boolean): Made {
    const { somebody, ref } = this.#self
    if (this.#isIn) return 'same'
    const kept = this.#rows('excluded')
    if (kept.some(({ addedBy }) => addedBy !== this.#self.name)) return 'excluded'
    const back = kept.flatMap((row) => withoutMember(row, this.#act.atMs) ?? [])
    // Who has gone from what others have them in comes back to it, whatever the rule for others.
    const isInBesides =
      this.#rows('member').length > 0 || (kept.length > 0 && this.#isInWithout(kept))
    if (isInBesides) return back
    const may = mayJoin(this.#list, 'id' in somebody)
    if (may === 'no') return 'closed'
    if (may === 'approval' && !isApproved) return 'approval'
    return [...back, ...this.#put(ref, 'member', 'each')]
  }

  leave(): Made {
    if (!this.#isIn) return 'notMember'
    if (this.#list.leaving === 'owners') return 'closed'
    const rows = this.#rows('member')
    const out = rows.flatMap((row) => withoutMember(row, this.#act.atMs) ?? [])
    // In by a group as well: an exclusion of their own keeps them out, which they can take back.
    return this.#isInByOthers() ? [...out, ...this.#put(this.#self.ref, 'excluded')] : out
  }

  get(delivery: MemberDelivery): Made {
    const rows = this.#rows('member')
    if (rows.length === 0) return this.#isIn ? 'group' : 'notMember'
    if (delivery === 'none' && this.#list.leaving === 'owners') return 'closed'
    return rows.flatMap(({ who }) => this.#put(who, 'member', delivery))
  }

  get #isIn(): boolean {
    return isMemberOf(this.#list.id, this.#self.somebody, this.#now, this.#act.atMs)
  }

  #isInByOthers(): boolean {
    const own = this.#rows('member')
    return isMemberOf(this.#list.id, this.#self.somebody, this.#now, this.#act.atMs, own)
  }

  #isInWithout(rows: readonly ListMember[]): boolean {
    return isMemberOf(this.#list.id, this.#self.somebody, this.#now, this.#act.atMs, rows)
  }

  #rows(as: ListMember['as']): readonly ListMember[] {
    const { somebody } = this.#self
    return ownRowsOf(this.#list.id, somebody, this.#now, this.#act.atMs).filter(
      (row) => row.as === as,
    )
  }

  #put(who: MemberRef, as: ListMember['as'], delivery?: MemberDelivery): readonly DirectoryEdit[] {
    const wish = { who, as, ...(delivery !== undefined && { delivery }) }
    // The own exclusion is known by its author: whoever approves has no part in it.
    const member = wished(this.#now, wish, this.#act)
    return member === undefined ? [] : [{ kind: 'put', row: { kind: 'member', member } }]
  }
}

/** An address of ours is the person who has it; undefined where there is nobody of that kind now. */
function selfOf(now: Directory, who: MembershipActBody['who']): Self | undefined {
  if ('account' in who) return ofAccount(now, now.account(who.account as AccountId))
  const parsed = parseAddress(who.address)
  if (!parsed.ok) return undefined
  const address = parsed.value
  const account = now.byAddress(address)
  if (account !== undefined) return ofAccount(now, account)
  return { somebody: address, ref: { kind: 'address', address }, name: formatAddress(address) }
}

function ofAccount(now: Directory, account: Account | undefined): Self | undefined {
  if (account === undefined || !mayLogIn(account, now.moment)) return undefined
  const { id, username } = account
  return { somebody: account, ref: { kind: 'account', id }, name: username }
}
