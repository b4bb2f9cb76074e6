import { convert, withoutForwards } from '#engine/route/convert.ts'
import type { Addressing } from '#engine/route/convert.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId } from '#model/account.ts'
import { addressKey, domainKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { isInAt, memberKey } from '#model/list-member.ts'
import type { ListMember, MemberRef } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import type { Directory } from '#store/directory/directory.ts'

/** Somebody as others name them: an account, or an address that is none of ours. */
export type Somebody = Account | Address

/**
 * Whether somebody is in a list at that moment: the same that `resolveMembers` would say, without going
 * through its members. Whoever is in and is suspended is in all the same.
 */
export function isMemberOf(
  list: AccountId,
  somebody: Somebody,
  directory: Directory,
  atMs: number,
  /** Rows that do not count. */
  but: readonly ListMember[] = [],
): boolean {
  return new Membership(somebody, directory, atMs, but).isIn(list)
}

/** Those rows of a list that name somebody alone: as a member, or as kept out. */
export const ownRowsOf = (
  list: AccountId,
  somebody: Somebody,
  directory: Directory,
  atMs: number,
): readonly ListMember[] => new Membership(somebody, directory, atMs).ownRows(list)

/** The lists that an account is in, by whatever way, each with those rows that alone name it. */
export function listsOfAccount(
  account: Account,
  directory: Directory,
  atMs: number,
): readonly { readonly list: MailingList; readonly own: readonly ListMember[] }[] {
  const membership = new Membership(account, directory, atMs)
  return directory
    .lists()
    .filter(({ id, deletedAt }) => deletedAt === undefined && membership.isIn(id))
    .map((list) => ({ list, own: membership.ownRows(list.id) }))
    .toArray()
}

const rowName = (row: ListMember): string => `${row.list} ${memberKey(row)}`

/** What somebody is in at that moment, asked again and again. */
export const membershipOf = (
  somebody: Somebody,
  directory: Directory,
  atMs: number,
): Pick<Membership, 'isIn' | 'isInGroup'> => new Membership(somebody, directory, atMs)

class Membership {
  readonly #accountId: AccountId | undefined
  readonly #directory: Directory
  readonly #addressing: Addressing
  readonly #atMs: number
  readonly #addresses: ReadonlySet<string>
  /** Those rows that name somebody alone, by their list. */
  readonly #own: ReadonlyMap<AccountId, readonly ListMember[]>
  readonly #known = new Map<AccountId, boolean>()
  readonly #open = new Set<AccountId>()
  readonly #groups = new Map<string, boolean>()

  constructor(
    somebody: Somebody,
    directory: Directory,
    atMs: number,
    but: readonly ListMember[] = [],
  ) {
    const account = 'id' in somebody ? somebody : undefined
    this.#accountId = account?.id
    this.#directory = directory
    this.#addressing = withoutForwards(directory)
    this.#atMs = atMs
    const addresses =
      account === undefined ? [somebody as Address] : addressesOf(account, directory)
    this.#addresses = new Set(addresses.map(addressKey))
    const refs: MemberRef[] = addresses.map((address) => ({ kind: 'address', address }))
    if (account !== undefined) refs.push({ kind: 'account', id: account.id })
    const passed = new Set(but.map(rowName))
    this.#own = Map.groupBy(
      refs
        .flatMap((ref) => directory.listsWith(ref).toArray())
        .filter((row) => this.#isNow(row) && !passed.has(rowName(row))),
      ({ list }) => list,
    )
  }

  ownRows(list: AccountId): readonly ListMember[] {
    return this.#own.get(list) ?? []
  }

  isIn(list: AccountId): boolean {
    const known = this.#known.get(list)
    if (known !== undefined) return known
    if (this.#open.has(list)) return false
    this.#open.add(list)
    const rows = [
      ...this.ownRows(list),
      ...this.#directory.membersOfMany(list).filter((row) => this.#isNow(row)),
    ]
    const isOf = (as: ListMember['as']): boolean =>
      rows.some((row) => row.as === as && this.#isNamedBy(row))
    const isIn = isOf('member') && !isOf('excluded')
    this.#open.delete(list)
    this.#known.set(list, isIn)
    return isIn
  }

  #isNow({ terms }: ListMember): boolean {
    return isInAt(terms, this.#atMs)
  }

  #isNamedBy({ who, resolved }: ListMember): boolean {
    switch (who.kind) {
      case 'account':
      case 'address':
        return true // one of the own rows
      case 'list':
        return this.#directory.list(who.id)?.deletedAt === undefined && this.isIn(who.id)
      case 'group':
        return this.isInGroup(who.address)
      case 'filter':
        return (
          this.#accountId !== undefined && resolved?.accounts.includes(this.#accountId) === true
        )
    }
  }

  isInGroup(address: Address): boolean {
    const key = addressKey(address)
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const group = this.#directory.alias(address)
    const isIn =
      group !== undefined &&
      (group.to.some((each) => this.#addresses.has(addressKey(each))) ||
        this.#leadsHere(group.from))
    this.#groups.set(key, isIn)
    return isIn
  }

  #leadsHere(address: Address): boolean {
    const converted = convert(address, this.#addressing)
    return (
      converted.ok &&
      converted.value.targets.some(({ accountId, address: to, list }) => {
        if (accountId !== undefined) return accountId === this.#accountId
        if (list?.purpose === 'post') return this.isIn(list.id)
        return this.#addresses.has(addressKey(to))
      })
    )
  }
}

/** All that lead to the account, those in domains that are converted too; details apart. */
function addressesOf(account: Account, directory: Directory): readonly Address[] {
  const own = [
    mainAddressOf(account),
    ...account.addresses,
    ...(account.formerAddresses ?? []).map(({ address }) => address),
  ]
  const all = new Map(own.map((address) => [addressKey(address), address]))
  // A map goes on to what is put into it meanwhile: domains are converted one after another.
  for (const { localpart, domain } of all.values())
    for (const { name, convertTo } of directory.domains()) {
      if (convertTo === undefined || domainKey(convertTo) !== domainKey(domain)) continue
      const address = { localpart, domain: name }
      all.set(addressKey(address), all.get(addressKey(address)) ?? address)
    }
  return [...all.values()]
}
