import { z } from 'zod'
import { ok } from '#base/outcome.ts'
import { done } from '#contract/admin/common.ts'
import { writtenUser } from '#contract/admin/directory.ts'
import type { UserBody } from '#contract/admin/directory.ts'
import { deleted, released, renamed, undeleted } from '#engine/people/account-change.ts'
import { removalOf } from '#engine/people/account-upkeep.ts'
import type { Account } from '#model/account.ts'
import { lifeOf } from '#model/account-life.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { writeDirectory } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { keepAWayIn } from './last-administrator.ts'
import { accountOf, addressIn, anyAccountOf, lower } from './lookup.ts'
import { effectiveQuota } from './quota.ts'
import { changeAccount, userBody, userTarget } from './users.ts'

const named = z.object({ user: z.string() })

/** Another name, deletion and its undoing. */
export function userLifeRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const body = (account: Account): UserBody => ({
    ...userBody(directory, account),
    state: lifeOf(account, directory.moment),
    effectiveQuota: effectiveQuota(deps, account),
  })

  app.post(
    '/users/:user/rename',
    {
      config: { permission: 'people.write' },
      schema: {
        params: named,
        body: z.object({ address: z.string().describe('the new main address') }),
        response: { 200: writtenUser },
      },
    },
    async (request) => {
      const to = addressIn(directory, lower(request.body.address))
      const account = accountOf(directory, request.params.user)
      const [source] = account.isOwn === true ? [] : (account.origins ?? [])
      if (source !== undefined)
        throw new ApiError(
          'conflict',
          `the source ${source.source} says what this account is called`,
          'Change the name there: the former address is kept all the same.',
        )
      const pending = await changeAccount(deps, request, account.id, (now) =>
        renamed(now, to, directory.moment),
      )
      return { ...body(directory.account(account.id)!), pending }
    },
  )

  app.delete(
    '/former-addresses/:address',
    {
      config: { permission: 'people.write' },
      schema: { params: z.object({ address: z.string() }), response: { 200: done } },
    },
    async (request) => {
      const address = addressIn(directory, lower(request.params.address))
      const owner = directory.byFormerAddress(address)
      if (owner === undefined)
        throw new ApiError(
          'notFound',
          `${formatAddress(address)} is no former address of anybody`,
          'watari user show lists those of a user.',
        )
      const { id } = owner.account
      const pending = await writeDirectory(deps, request, userTarget(deps, id), (now) => {
        const account = now.account(id)
        if (account === undefined) return ok([])
        const former = account.formerAddresses?.find(
          (each) => addressKey(each.address) === addressKey(address),
        )
        if (former === undefined) return ok([])
        const row = { kind: 'account', account: released(account, former.address) } as const
        return ok([{ kind: 'put', row }])
      })
      return { pending }
    },
  )

  app.delete(
    '/users/:user',
    {
      config: { permission: 'people.write' },
      schema: {
        params: named,
        querystring: z.object({
          forGood: z.literal('true').optional().describe('it cannot be had back'),
        }),
        response: { 200: done },
      },
    },
    async (request) => {
      const isForGood =
        request.query.forGood === 'true' || directory.moment.rules.undeleteDays === 0
      const { id } = isForGood
        ? anyAccountOf(directory, request.params.user)
        : accountOf(directory, request.params.user)
      const pending = await writeDirectory(deps, request, userTarget(deps, id), (now) => {
        keepAWayIn(request, now, id, undefined)
        if (isForGood) return ok(removalOf(now, id))
        const account = deleted(accountOf(now, id), now.moment)
        return ok([{ kind: 'put', row: { kind: 'account', account } }])
      })
      return { pending }
    },
  )

  app.post(
    '/users/:user/restore',
    {
      config: { permission: 'people.write' },
      schema: { params: named, response: { 200: writtenUser } },
    },
    async (request) => {
      const { id, deletedAt } = anyAccountOf(directory, request.params.user)
      if (deletedAt === undefined)
        throw new ApiError(
          'conflict',
          `${request.params.user} is not deleted`,
          'watari user ls --deleted shows who is.',
        )
      const pending = await writeDirectory(deps, request, userTarget(deps, id), (now) =>
        ok([{ kind: 'put', row: { kind: 'account', account: undeleted(anyAccountOf(now, id)) } }]),
      )
      return { ...body(directory.account(id)!), pending }
    },
  )
}
