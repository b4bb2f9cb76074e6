import type { Account, AccountId } from '#model/account.ts'
import type { Directory } from '#store/directory/directory.ts'

/** People by the names under which their mailboxes are shown and rights are granted (RFC 4314 §2). */
export interface AccountNames {
  /** Undefined for an account that is not, or no more, of this directory. */
  nameOf(id: AccountId): string | undefined
  /** The account of a name that it logs in with. */
  idOf(name: string): AccountId | undefined
}

/** Names as the directory of now has them: rights and subscriptions are kept by id and outlive a new name. */
export const accountNames = (directory: Directory): AccountNames => ({
  nameOf: (id) => {
    const account = directory.account(id)
    return account && nameOf(account, directory.defaultDomain)
  },
  idOf: (name) => directory.byLogin(name)?.id,
})

/** The user name, with its domain where that is not the default one; a level of a mailbox name. */
function nameOf({ username, domain, id }: Account, defaultDomain: string | undefined): string {
  const name = domain === defaultDomain ? username : `${username}@${domain}`
  // A local part may hold what separates levels (RFC 5321 §4.1.2).
  return name.includes('/') ? id : name
}
