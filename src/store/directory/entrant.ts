import type { Account } from '#model/account.ts'
import { mayLogIn } from '#model/account-life.ts'
import { isSameEntry } from '#model/adoption.ts'
import type { Directory } from './directory.ts'

/** Somebody who was let in: the account as it was then. */
export interface Entrant extends Account {
  /** The app password that did it; absent: the account's own password. */
  readonly appPassword?: string
}

/**
 * Whether what let somebody in still would: not once the account is suspended, has left or is gone, has
 * another password, or has taken that app password back. Other app passwords let in still.
 */
export function mayStay(
  entrant: Entrant,
  directory: Pick<Directory, 'account' | 'moment'>,
): boolean {
  const now = directory.account(entrant.id)
  if (now === undefined || !mayLogIn(now, directory.moment)) return false
  const { appPassword } = entrant
  return appPassword === undefined
    ? isSameCredential(now, entrant)
    : (now.appPasswords ?? []).some(({ id }) => id === appPassword)
}

/** A hash that is made anew, or for the first time, is of the same password: its version tells. */
export const isSameCredential = (a: Account, b: Account): boolean =>
  a.credentialVersion === b.credentialVersion &&
  (a.bind === undefined || b.bind === undefined || isSameEntry(a.bind, b.bind))
