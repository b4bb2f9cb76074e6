import { z } from 'zod'
import { ok } from '#base/outcome.ts'
import { done, page } from '#contract/admin/common.ts'
import { newForward, searchQuery, userForward, writtenForward } from '#contract/admin/directory.ts'
import type { ForwardBody } from '#contract/admin/directory.ts'
import type { Account, Forward } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { versioned, writeDirectory } from './directory-writes.ts'
import type { Target } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { accountOf, addressIn, holding, mainAddress, pageOf } from './lookup.ts'

const named = z.object({ user: z.string() })

const forwardBody = (account: Account, { to, keep }: Forward): ForwardBody =>
  versioned({ user: mainAddress(account), to: to.map(formatAddress), keep })

const target = (account: Account): Target => ({
  key: `forward:${account.id}`,
  name: `the forward of ${mainAddress(account)}`,
  version: (now) => {
    const row = now.forward(account.id)
    return row && forwardBody(account, row).version
  },
})

interface Forwarded {
  readonly account: Account
  readonly row: Forward
}

/** Users whose mail goes elsewhere. */
export function forwardRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.get(
    '/forwards',
    {
      config: { permission: 'people.read' },
      schema: { querystring: searchQuery, response: { 200: page(userForward) } },
    },
    async ({ query }) => {
      const all = directory.forwards().flatMap((row): Forwarded[] => {
        const account = directory.account(row.accountId)
        return account === undefined ? [] : [{ account, row }]
      })
      const holds = holding(query.search, ({ account, row }: Forwarded) => [
        mainAddress(account),
        ...row.to.map(formatAddress),
      ])
      const listing = {
        keyOf: ({ account }: Forwarded) => mainAddress(account),
        bodyOf: ({ account, row }: Forwarded) => forwardBody(account, row),
        holds,
      }
      return pageOf(all, listing, query)
    },
  )

  app.put(
    '/users/:user/forward',
    {
      config: { permission: 'people.write' },
      schema: { params: named, body: newForward, response: { 200: writtenForward } },
    },
    async (request) => {
      const account = accountOf(directory, request.params.user)
      const to = request.body.to.map((text) => addressIn(directory, text))
      const row = { accountId: account.id, to, keep: request.body.keep }
      const pending = await writeDirectory(deps, request, target(account), () =>
        ok([{ kind: 'put', row: { kind: 'forward', forward: row } }]),
      )
      return { ...forwardBody(account, row), pending }
    },
  )

  app.delete(
    '/users/:user/forward',
    { config: { permission: 'people.write' }, schema: { params: named, response: { 200: done } } },
    async (request) => {
      const account = accountOf(directory, request.params.user)
      if (directory.forward(account.id) === undefined)
        throw new ApiError(
          'notFound',
          `${mainAddress(account)} is not forwarded`,
          'watari forward ls shows the forwards.',
        )
      const which = target(account)
      const pending = await writeDirectory(deps, request, which, () =>
        ok([{ kind: 'remove', key: which.key }]),
      )
      return { pending }
    },
  )
}
