import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import type { Address } from '#model/address.ts'
import { mayModerate } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { Directory } from '#store/directory/directory.ts'

import type { PostAuthor } from './author.ts'
import { accountOfAddress } from './list-parts.ts'

/** Where those who decide about posts are written to today: deputies on their days, else the owners. */
export function moderatorsOf(directory: Directory, list: MailingList): Address[] {
  const { today } = directory.moment
  const deputies = list.moderators
    .filter(({ account }) => mayModerate(list, account, today))
    .map(({ account }) => account)
  const found = addressesOf(directory, deputies)
  return found.length > 0 ? found : addressesOf(directory, list.owners)
}

/** The main addresses of those of them who are there. */
export function addressesOf(directory: Directory, accounts: readonly AccountId[]): Address[] {
  return accounts.flatMap((id) => {
    const account = directory.account(id)
    return account === undefined || account.disabled ? [] : [mainAddressOf(account)]
  })
}

/** Where the author of a post is written to: who writes as a list has no mailbox by that name. */
export function authorBox(directory: Directory, { address, accountId }: PostAuthor): Address {
  if (accountId === undefined || accountOfAddress(directory, address) !== undefined) return address
  const account = directory.account(accountId)
  return account === undefined ? address : mainAddressOf(account)
}
