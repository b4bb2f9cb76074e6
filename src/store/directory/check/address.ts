import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import { isReserved } from '#model/account-life.ts'
import { formatAddress, withoutDetail } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'

/** Undefined where the domain is one of ours. */
export const notLocal = (directory: Directory, domain: string): DirectoryRefusal | undefined =>
  directory.domain(domain) === undefined
    ? refuse(
        'notFound',
        `${domain} is no local domain`,
        `Add it first: watari domain add ${domain}`,
      )
    : undefined

/** Why nobody but `than` is to have this address yet: it was somebody else's not long ago. */
export function ofFormerOwner(
  directory: Directory,
  address: Address,
  than?: AccountId,
): DirectoryRefusal | undefined {
  const owner = directory.byFormerAddress(address)
  if (owner === undefined || owner.account.id === than) return undefined
  const { account, former } = owner
  if (!isReserved(former, directory.moment)) return undefined
  const text = formatAddress(address)
  return refuse(
    'conflict',
    `${text} was an address of ${formatAddress(mainAddressOf(account))}, and is kept from others until ${former.reservedUntil.slice(0, 10)}`,
    `Choose another one, or set it free: watari user release ${text}`,
  )
}

/**
 * Why this address can be nobody else's: a list's own ones, those of its purposes, and what they are with a
 * detail, where marks of ours stand. An alias there would get the bounces, and answers to our questions.
 */
export function ofAnotherList(
  directory: Directory,
  address: Address,
  than?: AccountId,
): DirectoryRefusal | undefined {
  const named = directory.listByAddress(address) ?? directory.listByAddress(withoutDetail(address))
  if (named === undefined || named.list.id === than) return undefined
  const { list, purpose } = named
  const of = formatAddress(list.address)
  const what = purpose === 'post' ? 'an address' : `the address for ${purpose}`
  const deleted =
    list.deletedAt === undefined ? '' : ', which was deleted and can still be had back'
  return refuse(
    'conflict',
    `${formatAddress(address)} is ${what} of the list ${of}${deleted}`,
    deleted === ''
      ? 'Choose another address.'
      : `Choose another address; or: watari list undelete ${of}, watari list delete ${of} --for-good`,
  )
}
