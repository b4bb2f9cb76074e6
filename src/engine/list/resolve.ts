import { inSlices } from '#base/turns.ts'
import type { Steps } from '#base/turns.ts'
import { converting, withoutForwards } from '#engine/route/convert.ts'
import type { Addressing, Target } from '#engine/route/convert.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId } from '#model/account.ts'
import { lifeOf, takesMail } from '#model/account-life.ts'
import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { isInAt, memberKey } from '#model/list-member.ts'
import type { ListMember, MemberRef } from '#model/list-member.ts'
import type { MemberDelivery } from '#model/list-words.ts'
import type { Directory } from '#store/directory/directory.ts'

/** Somebody who gets the posts of a list. */
export interface ListRecipient {
  /** An account's main address of now, or one elsewhere. */
  readonly address: Address
  readonly accountId?: AccountId
  readonly delivery: MemberDelivery
  /** By which members of the list, as `memberKey` names them. */
  readonly through: readonly string[]
}

/** A member, of this list or of one in it, that names nobody who could get a post. */
export interface UnresolvedMember {
  readonly member: ListMember
  readonly why: Unresolved
  /** Whom it names, where that is one of many. */
  readonly accountId?: AccountId
}

export type Unresolved =
  | 'gone' // there is no such account, list or group any more
  | 'deleted' // it was deleted, and can still be had back
  | 'suspended'
  | 'left' // its last day is over
  | 'notBegun' // its first day is still to come
  | 'unknown' // an address of ours that nobody has
  | 'empty' // a group or list of nobody
  | 'notAsked' // a filter whose source has not answered yet
  | 'loop' // a group that leads back to itself
  | 'tooMany' // more than RECIPIENTS_MAX, or lists in lists deeper than DEPTH_MAX

export interface ResolvedList {
  /** Each person once, and each address elsewhere. */
  readonly recipients: readonly ListRecipient[]
  readonly unresolved: readonly UnresolvedMember[]
}

const RECIPIENTS_MAX = 200_000
const DEPTH_MAX = 64

/**
 * Who gets a post of the list at that moment, by the directory as it stands. An exclusion wins over all that
 * has somebody in; one of a list within is of that list alone. A list that is met again on its own way adds
 * nobody, so that circles end. Each list is gone through once; 10,000 members take some 50 ms, and others
 * get their turn in between: of what the directory changes meanwhile some may be in it.
 */
export const resolveMembers = (
  list: AccountId,
  directory: Directory,
  atMs: number,
): Promise<ResolvedList> => inSlices(new Resolving(directory, atMs).resolve(list))

/** Whom a member names: somebody of ours, or an address elsewhere. */
interface Named {
  readonly accountId: AccountId | undefined
  /** Undefined: that of the account, which is looked at in the end. */
  readonly address: Address | undefined
  delivery: MemberDelivery
  /** The nearest row that names them. */
  readonly row: ListMember
  through: string[]
}

type Everybody = Map<string, Named>
type Take = (key: string, named: Named) => void

/** As it comes: more of it where somebody is in by several ways. */
const MORE: Readonly<Record<MemberDelivery, number>> = { none: 0, digest: 1, each: 2 }
const NOBODY: ReadonlyMap<string, Named> = new Map()

class Resolving {
  readonly #directory: Directory
  readonly #addressing: Addressing
  readonly #atMs: number
  readonly #known = new Map<AccountId, ReadonlyMap<string, Named>>()
  readonly #open = new Set<AccountId>()
  readonly #unresolved = new Map<string, UnresolvedMember>()

  constructor(directory: Directory, atMs: number) {
    this.#directory = directory
    this.#addressing = withoutForwards(directory)
    this.#atMs = atMs
  }

  *resolve(list: AccountId): Steps<ResolvedList> {
    const recipients: ListRecipient[] = []
    const all = yield* this.#list(list)
    for (const { accountId, address, delivery, row, through } of all.values()) {
      yield
      if (accountId === undefined) {
        recipients.push({ address: address!, delivery, through })
        continue
      }
      const account = this.#directory.account(accountId)
      const why = this.#whyNot(account)
      if (why === undefined)
        recipients.push({ address: mainAddressOf(account!), accountId, delivery, through })
      else this.#lacks(row, why, accountId)
    }
    return { recipients, unresolved: [...this.#unresolved.values()] }
  }

  #whyNot(account: Account | undefined): Unresolved | undefined {
    if (account === undefined) return 'gone'
    const { moment } = this.#directory
    const state = lifeOf(account, moment)
    switch (state) {
      case 'active':
      case 'grace':
        return undefined
      case 'notBegun':
        return takesMail(account, moment) ? undefined : 'notBegun'
      default:
        return state
    }
  }

  #lacks(member: ListMember, why: Unresolved, accountId?: AccountId): void {
    const isItself = member.who.kind === 'account' || accountId === undefined
    this.#unresolved.set(`${member.list} ${memberKey(member)} ${accountId ?? ''}`, {
      member,
      why,
      ...(!isItself && { accountId }),
    })
  }

  *#list(id: AccountId): Steps<ReadonlyMap<string, Named>> {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    if (this.#open.has(id)) return NOBODY
    this.#open.add(id)
    const all: Everybody = new Map()
    const excluded: ListMember[] = []
    const direct: ListMember[] = []
    for (const member of this.#directory.members(id)) {
      yield
      if (!isInAt(member.terms, this.#atMs)) continue
      if (member.as === 'excluded') excluded.push(member)
      else if (member.who.kind === 'account') direct.push(member)
      else yield* this.#add(all, member)
    }
    // A row of somebody alone says how they get it, whatever groups they are in.
    for (const member of direct) {
      this.#addDirect(all, member)
      yield
    }
    for (const member of excluded)
      yield* this.#each(member.who, member, (key) => {
        all.delete(key)
      })
    this.#open.delete(id)
    this.#known.set(id, all)
    return all
  }

  #addDirect(all: Everybody, row: ListMember): void {
    const { who, delivery } = row
    if (who.kind !== 'account') return
    const key = `account:${who.id}`
    const through = [...(all.get(key)?.through ?? []), memberKey(row)]
    if (all.size < RECIPIENTS_MAX)
      all.set(key, { accountId: who.id, address: undefined, delivery, row, through })
    else this.#lacks(row, 'tooMany')
  }

  *#add(all: Everybody, member: ListMember): Steps<void> {
    const name = memberKey(member)
    let count = 0
    yield* this.#each(member.who, member, (key, named) => {
      count++
      const delivery = less(member.delivery, named.delivery)
      const before = all.get(key)
      if (before !== undefined) {
        if (MORE[delivery] > MORE[before.delivery]) before.delivery = delivery
        if (!before.through.includes(name)) before.through.push(name)
      } else if (all.size < RECIPIENTS_MAX) all.set(key, { ...named, delivery, through: [name] })
      else this.#lacks(member, 'tooMany')
    })
    if (count === 0 && !this.#unresolved.has(`${member.list} ${name} `))
      this.#lacks(member, 'empty')
  }

  /** Whom it names, by their keys. What cannot be followed is noted. */
  *#each(who: MemberRef, row: ListMember, take: Take): Steps<void> {
    switch (who.kind) {
      case 'account':
        take(`account:${who.id}`, named(row, who.id))
        return
      case 'list':
        yield* this.#eachOfList(who.id, row, take)
        return
      case 'group': {
        const group = this.#directory.alias(who.address)
        if (group === undefined) this.#lacks(row, 'gone')
        else if (group.to.length > 0) yield* this.#eachOfAddress(group.from, row, take)
        return
      }
      case 'address':
        yield* this.#eachOfAddress(who.address, row, take)
        return
      case 'filter':
        if (row.resolved === undefined) this.#lacks(row, 'notAsked')
        for (const id of row.resolved?.accounts ?? []) {
          take(`account:${id}`, named(row, id))
          yield
        }
    }
  }

  *#eachOfList(id: AccountId, row: ListMember, take: Take): Steps<void> {
    const list = this.#directory.list(id)
    if (list === undefined || list.deletedAt !== undefined) {
      this.#lacks(row, list === undefined ? 'gone' : 'deleted')
      return
    }
    if (this.#open.size >= DEPTH_MAX) {
      this.#lacks(row, 'tooMany')
      return
    }
    if (this.#open.has(id)) this.#lacks(row, 'loop')
    for (const [key, each] of yield* this.#list(id)) {
      take(key, each)
      yield
    }
  }

  *#eachOfAddress(address: Address, row: ListMember, take: Take): Steps<void> {
    const converted = yield* converting(address, this.#addressing)
    if (!converted.ok) {
      this.#lacks(row, 'loop')
      return
    }
    const { targets } = converted.value
    for (const target of targets) {
      yield* this.#eachOfTarget(target, row, take)
      yield
    }
    if (targets.every((target) => target.class === 'unknown')) this.#lacks(row, 'unknown')
  }

  *#eachOfTarget(target: Target, row: ListMember, take: Take): Steps<void> {
    const { address, accountId, list } = target
    if (accountId !== undefined) take(`account:${accountId}`, named(row, accountId))
    else if (list?.purpose === 'post') yield* this.#eachOfList(list.id, row, take)
    else if (target.class !== 'unknown')
      take(`address:${addressKey(address)}`, { ...named(row, undefined), address })
  }
}

const named = (row: ListMember, accountId: AccountId | undefined): Named => ({
  accountId,
  address: undefined,
  delivery: row.delivery,
  row,
  through: [],
})

const less = (a: MemberDelivery, b: MemberDelivery): MemberDelivery => (MORE[a] < MORE[b] ? a : b)
