import type { FastifyRequest } from 'fastify'
import type { Account, AccountId } from '#model/account.ts'
import { mayLogIn } from '#model/account-life.ts'
import type { Moment } from '#model/account-life.ts'
import type { Directory } from '#store/directory/directory.ts'
import { isBySession } from './context.ts'
import { ApiError } from './errors.ts'

/**
 * Throws where somebody in a browser would leave no account that the console lets in, his own or
 * another's. A token may: whoever holds one still gets in, can make an administrator again, and may
 * want an installation without any. `after` is the account as it would be; undefined: deleted.
 */
export const keepAWayIn = (
  request: FastifyRequest,
  directory: Directory,
  id: AccountId,
  after: Account | undefined,
): void => keepSomeWayIn(request, directory, new Map([[id, after]]))

/** The same where several accounts change at once. */
export function keepSomeWayIn(
  request: FastifyRequest,
  directory: Directory,
  changed: ReadonlyMap<AccountId, Account | undefined>,
): void {
  if (!isBySession(request)) return
  const { moment } = directory
  const isIn = (account: Account | undefined): boolean =>
    account !== undefined && mayEnter(account, moment)
  const shutOut = [...changed]
    .map(([id, after]) => ({ before: directory.account(id), after }))
    .find(({ before, after }) => before !== undefined && mayEnter(before, moment) && !isIn(after))
  if (shutOut?.before === undefined) return
  if ([...changed.values()].some(isIn)) return
  for (const other of directory.accounts())
    if (!changed.has(other.id) && mayEnter(other, moment)) return
  throw new ApiError(
    'lastAdministrator',
    `${shutOut.before.username} is the last administrator who can log in`,
    'Make another account an administrator first. With an API token it can be done all the same: watari user.',
  )
}

const mayEnter = (account: Account, moment: Moment): boolean =>
  account.admin &&
  mayLogIn(account, moment) &&
  (account.credential !== undefined || account.bind !== undefined)
