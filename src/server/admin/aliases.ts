import { z } from 'zod'
import { done, page, pageQuery } from '#contract/admin/common.ts'
import {
  alias,
  newAlias,
  newRoute,
  route,
  writtenAlias,
  writtenRoute,
} from '#contract/admin/directory.ts'
import type { RouteBody } from '#contract/admin/directory.ts'
import { addressKey, formatAddress, matchKey } from '#model/address.ts'
import { formatNextHop, parseNextHop } from '#model/route.ts'
import type { RouteRow } from '#model/route.ts'
import { authorOf, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { addressIn, lower, pageOf } from './lookup.ts'

const aliasQuery = pageQuery.extend({ search: z.string().optional() })
const fromParam = z.object({ from: z.string() })
const matchParam = z.object({ match: z.string() })

export function aliasRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.get(
    '/aliases',
    { schema: { querystring: aliasQuery, response: { 200: page(alias) } } },
    async ({ query }) => {
      const wanted = query.search === undefined ? undefined : lower(query.search)
      const found = directory
        .aliases()
        .filter(
          ({ from, to }) =>
            wanted === undefined ||
            [from, ...to].some((address) => lower(formatAddress(address)).includes(wanted)),
        )
      const { items, ...next } = pageOf(found, (row) => formatAddress(row.from), query)
      return {
        items: items.map((row) => ({
          from: formatAddress(row.from),
          to: row.to.map(formatAddress),
        })),
        ...next,
      }
    },
  )

  app.post(
    '/aliases',
    { schema: { body: alias, response: { 201: writtenAlias } } },
    async (request, reply) => {
      const from = addressIn(directory, lower(request.body.from))
      const to = request.body.to.map((text) => addressIn(directory, text))
      taken(
        await deps.directory.update((now) => {
          if (now.alias(from) !== undefined)
            throw new ApiError(
              'conflict',
              `${formatAddress(from)} is an alias already`,
              `To change it: watari alias set ${formatAddress(from)} TO`,
            )
          return { ok: true, value: [{ kind: 'put', row: { kind: 'alias', alias: { from, to } } }] }
        }, authorOf(request)),
      )
      const pending = [...(await deps.hub.settled())]
      return reply.code(201).send({ from: formatAddress(from), to: to.map(formatAddress), pending })
    },
  )

  app.put(
    '/aliases/:from',
    { schema: { params: fromParam, body: newAlias, response: { 200: writtenAlias } } },
    async (request) => {
      const from = addressIn(directory, lower(request.params.from))
      const to = request.body.to.map((text) => addressIn(directory, text))
      taken(
        await deps.directory.write(
          [{ kind: 'put', row: { kind: 'alias', alias: { from, to } } }],
          authorOf(request),
        ),
      )
      const pending = [...(await deps.hub.settled())]
      return { from: formatAddress(from), to: to.map(formatAddress), pending }
    },
  )

  app.delete(
    '/aliases/:from',
    { schema: { params: fromParam, response: { 200: done } } },
    async (request) => {
      const key = `alias:${addressKey(addressIn(directory, request.params.from))}`
      taken(await deps.directory.write([{ kind: 'remove', key }], authorOf(request)))
      return { pending: [...(await deps.hub.settled())] }
    },
  )

  routeRoutes(app, deps)
}

const routeBody = (row: RouteRow): RouteBody => ({
  match: row.match,
  nextHop: formatNextHop(row.nextHop),
})

function routeRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.get(
    '/routes',
    { schema: { querystring: pageQuery, response: { 200: page(route) } } },
    async ({ query }) => pageOf(directory.routes().map(routeBody), (item) => item.match, query),
  )

  app.put(
    '/routes/:match',
    { schema: { params: matchParam, body: newRoute, response: { 200: writtenRoute } } },
    async (request) => {
      const nextHop = parseNextHop(request.body.nextHop)
      if (nextHop === undefined)
        throw new ApiError(
          'invalid',
          `${request.body.nextHop} is no next hop`,
          'Give smtp:HOST:PORT, lmtp:HOST:PORT, local or hold.',
        )
      const row = { match: lower(request.params.match), nextHop }
      taken(
        await deps.directory.write(
          [{ kind: 'put', row: { kind: 'route', route: row } }],
          authorOf(request),
        ),
      )
      return { ...routeBody(row), pending: [...(await deps.hub.settled())] }
    },
  )

  app.delete(
    '/routes/:match',
    { schema: { params: matchParam, response: { 200: done } } },
    async (request) => {
      const key = `route:${matchKey(lower(request.params.match))}`
      taken(await deps.directory.write([{ kind: 'remove', key }], authorOf(request)))
      return { pending: [...(await deps.hub.settled())] }
    },
  )
}
