import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import { addressKey, withoutDetail } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'

/** Whose mail it is: what an answer in their name says, and whom it is never sent to. */
export interface MailOwner {
  /** What mail to them is written to; the first one is what they are called by. */
  readonly addresses: readonly Address[]
  readonly name?: string
  /** As in Accept-Language. */
  readonly language?: string
}

/** Undefined where the directory has no such account. */
export function mailOwner(
  directory: Pick<Directory, 'account'>,
  accountId: AccountId,
): MailOwner | undefined {
  const account = directory.account(accountId)
  if (account === undefined) return undefined
  const { name, profile, addresses, formerAddresses = [] } = account
  return {
    addresses: [
      mainAddressOf(account),
      ...addresses,
      ...formerAddresses.map(({ address }) => address),
    ],
    ...(name !== undefined && { name }),
    ...(profile?.language !== undefined && { language: profile.language }),
  }
}

/** Whether it is one of theirs, whatever its detail (RFC 5233). */
export const ownsAddress = (owners: readonly Address[], address: Address): boolean => {
  const key = plainKey(address)
  return owners.some((own) => plainKey(own) === key)
}

const plainKey = (address: Address): string => addressKey(withoutDetail(address))
