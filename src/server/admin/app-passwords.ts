import { z } from 'zod'
import { appPasswords, madeAppPassword, newAppPassword } from '#contract/admin/app-passwords.ts'
import type { AppPasswordBody } from '#contract/admin/app-passwords.ts'
import { done } from '#contract/admin/common.ts'
import type { Account } from '#model/account.ts'
import { APP_PASSWORDS_MAX, withAppPassword } from '#model/app-password.ts'
import type { AppPassword, AppPasswordChange } from '#model/app-password.ts'
import { makeAppPassword } from '#store/directory/app-passwords.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { accountOf } from './lookup.ts'
import { changeAccount } from './users.ts'

const named = z.object({ user: z.string() })

/** Passwords of single programs: made by us, shown once, taken back one by one. */
export function appPasswordRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.get(
    '/users/:user/app-passwords',
    {
      config: { permission: 'people.read' },
      schema: { params: named, response: { 200: appPasswords } },
    },
    async ({ params }) => {
      const { id: accountId, appPasswords: all = [] } = accountOf(directory, params.user)
      const { items: uses = [] } = (await deps.uses?.usesOf({ accountId })) ?? {}
      const lastUse = new Map(uses.map(({ id, at, ip, protocol }) => [id, { at, ip, protocol }]))
      return {
        items: all.map((each) => {
          const use = lastUse.get(each.id)
          return { ...appPasswordBody(each), ...(use !== undefined && { lastUse: use }) }
        }),
      }
    },
  )

  // Whoever has one reads that person's mail, and its owner need not notice: more than a help desk may do.
  app.post(
    '/users/:user/app-passwords',
    {
      config: { permission: 'people.write' },
      schema: { params: named, body: newAppPassword, response: { 201: madeAppPassword } },
    },
    async (request, reply) => {
      const account = accountOf(directory, request.params.user)
      const { name, protocols } = request.body
      const { password, row } = await makeAppPassword(account, {
        name,
        ...(protocols !== undefined && { protocols }),
        atMs: deps.clock.nowMs(),
        iterations: deps.settings.settings['auth.scramIterations'],
      })
      const pending = await changeAccount(deps, request, account.id, (now) =>
        changed(now, { accountId: now.id, add: row }),
      )
      void reply.header('cache-control', 'no-store')
      return reply.code(201).send({ ...appPasswordBody(row), password, pending })
    },
  )

  app.delete(
    '/users/:user/app-passwords/:id',
    {
      config: { permission: 'people.help' },
      schema: { params: named.extend({ id: z.string() }), response: { 200: done } },
    },
    async (request) => {
      const { user, id } = request.params
      const account = accountOf(directory, user)
      return {
        pending: await changeAccount(deps, request, account.id, (now) =>
          changed(now, { accountId: now.id, remove: id }),
        ),
      }
    },
  )
}

function changed(account: Account, change: AppPasswordChange): Account {
  const after = withAppPassword(account, change)
  if (after === 'limit')
    throw new ApiError(
      'limit',
      `${account.username} has ${APP_PASSWORDS_MAX} app passwords`,
      'Take one back first: watari user app-password ls USER, then rm USER ID.',
    )
  if (after === 'notFound')
    throw new ApiError(
      'notFound',
      `${account.username} has no such app password`,
      'watari user app-password ls USER shows what there is.',
    )
  return after
}

const appPasswordBody = ({ id, name, createdAt, protocols }: AppPassword): AppPasswordBody => ({
  id,
  name,
  createdAt,
  ...(protocols !== undefined && { protocols: [...protocols] }),
})
