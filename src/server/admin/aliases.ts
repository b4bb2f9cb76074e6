import { z } from 'zod'
import { ok } from '#base/outcome.ts'
import { done, page } from '#contract/admin/common.ts'
import {
  alias,
  newAlias,
  newAliasTo,
  searchQuery,
  writtenAlias,
} from '#contract/admin/directory.ts'
import type { AliasBody } from '#contract/admin/directory.ts'
import type { Alias } from '#model/account.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { versioned, writeDirectory } from './directory-writes.ts'
import type { Target } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { addressIn, holding, lower, pageOf } from './lookup.ts'

const fromParam = z.object({ from: z.string() })

const aliasBody = ({ from, to, origins, ...group }: Alias): AliasBody =>
  versioned({
    from: formatAddress(from),
    to: to.map(formatAddress),
    ...group,
    ...(origins !== undefined && { sources: origins.map(({ source }) => source) }),
  })

/** It would be said again, and what was changed here be lost. */
function needOwn(alias: Alias | undefined): void {
  const [first] = alias?.origins ?? []
  if (alias === undefined || first === undefined) return
  throw new ApiError(
    'conflict',
    `${formatAddress(alias.from)} is the group ${first.dn} of ${first.source}`,
    `Change it there, or leave its groups out: watari directory sources add ${first.source} … --no-groups`,
  )
}

const target = (from: Address): Target => ({
  key: `alias:${addressKey(from)}`,
  name: `the alias ${formatAddress(from)}`,
  version: (now) => {
    const row = now.alias(from)
    return row && aliasBody(row).version
  },
})

/** Addresses that lead to others. */
export function aliasRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.get(
    '/aliases',
    {
      config: { permission: 'people.read' },
      schema: { querystring: searchQuery, response: { 200: page(alias) } },
    },
    async ({ query }) => {
      const keyOf = ({ from }: Alias): string => formatAddress(from)
      const holds = holding(query.search, ({ from, to }: Alias) => [from, ...to].map(formatAddress))
      return pageOf(directory.aliases(), { keyOf, bodyOf: aliasBody, holds }, query)
    },
  )

  app.post(
    '/aliases',
    {
      config: { permission: 'people.write' },
      schema: { body: newAlias, response: { 201: writtenAlias } },
    },
    async (request, reply) => {
      const from = addressIn(directory, lower(request.body.from))
      const to = request.body.to.map((text) => addressIn(directory, text))
      const pending = await writeDirectory(deps, request, target(from), (now) => {
        if (now.alias(from) !== undefined)
          throw new ApiError(
            'conflict',
            `${formatAddress(from)} is an alias already`,
            `To change it: watari alias set ${formatAddress(from)} TO`,
          )
        return ok([{ kind: 'put', row: { kind: 'alias', alias: { from, to } } }])
      })
      return reply.code(201).send({ ...aliasBody({ from, to }), pending })
    },
  )

  app.put(
    '/aliases/:from',
    {
      config: { permission: 'people.write' },
      schema: { params: fromParam, body: newAliasTo, response: { 200: writtenAlias } },
    },
    async (request) => {
      const from = addressIn(directory, lower(request.params.from))
      const to = request.body.to.map((text) => addressIn(directory, text))
      const pending = await writeDirectory(deps, request, target(from), (now) => {
        needOwn(now.alias(from))
        return ok([
          { kind: 'put', row: { kind: 'alias', alias: { ...now.alias(from), from, to } } },
        ])
      })
      return { ...aliasBody(directory.alias(from) ?? { from, to }), pending }
    },
  )

  app.delete(
    '/aliases/:from',
    {
      config: { permission: 'people.write' },
      schema: { params: fromParam, response: { 200: done } },
    },
    async (request) => {
      const from = addressIn(directory, request.params.from)
      const which = target(from)
      const pending = await writeDirectory(deps, request, which, (now) => {
        needOwn(now.alias(from))
        return ok([{ kind: 'remove', key: which.key }])
      })
      return { pending }
    },
  )
}
