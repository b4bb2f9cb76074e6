import type { FastifyRequest } from 'fastify'
import type { Account } from '#model/account.ts'
import { accountOfRequest } from '#server/admin/context.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { ApiError } from '#server/admin/errors.ts'

/** Who is logged in. Throws ApiError `unauthorised` where a token asks, which is nobody in a list. */
export function selfOf({ directory }: AdminDeps, request: FastifyRequest): Account {
  const id = accountOfRequest(request)
  const account = id === undefined ? undefined : directory.directory.account(id)
  if (account !== undefined) return account
  throw new ApiError('unauthorised', 'a token is nobody', 'POST /session logs in.')
}
