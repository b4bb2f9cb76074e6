import type { FastifyRequest } from 'fastify'
import type { Account, AccountId } from '#model/account.ts'
import type { Directory } from '#store/directory/directory.ts'
import { isBySession } from './context.ts'
import { ApiError } from './errors.ts'

/**
 * Throws where somebody in a browser would leave no account that the console lets in, his own or
 * another's. A token may: whoever holds one still gets in, can make an administrator again, and may
 * want an installation without any. `after` is the account as it would be; undefined: deleted.
 */
export function keepAWayIn(
  request: FastifyRequest,
  directory: Directory,
  id: AccountId,
  after: Account | undefined,
): void {
  if (!isBySession(request)) return
  const before = directory.account(id)
  if (before === undefined || !mayEnter(before)) return
  if (after !== undefined && mayEnter(after)) return
  for (const other of directory.accounts()) if (other.id !== id && mayEnter(other)) return
  throw new ApiError(
    'lastAdministrator',
    `${before.username} is the last administrator who can log in`,
    'Make another account an administrator first. With an API token it can be done all the same: watari user.',
  )
}

const mayEnter = (account: Account): boolean =>
  account.admin && !account.disabled && account.credential !== undefined
