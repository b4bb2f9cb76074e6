import { z } from 'zod'
import { ok } from '#base/outcome.ts'
import { done, page } from '#contract/admin/common.ts'
import { newRoute, route, searchQuery, writtenRoute } from '#contract/admin/directory.ts'
import type { RouteBody } from '#contract/admin/directory.ts'
import { matchKey } from '#model/address.ts'
import { formatNextHop, parseNextHop } from '#model/route.ts'
import type { RouteRow } from '#model/route.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { versioned, writeDirectory } from './directory-writes.ts'
import type { Target } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { holding, lower, pageOf } from './lookup.ts'

const matchParam = z.object({ match: z.string() })

const routeBody = (row: RouteRow): RouteBody =>
  versioned({ match: row.match, nextHop: formatNextHop(row.nextHop) })

const target = (match: string): Target => ({
  key: `route:${matchKey(match)}`,
  name: `the route of ${match}`,
  version: (now) => {
    const row = now.route(match)
    return row && routeBody(row).version
  },
})

/** Where mail goes next, by domain or address. */
export function routeRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.get(
    '/routes',
    {
      config: { permission: 'people.read' },
      schema: { querystring: searchQuery, response: { 200: page(route) } },
    },
    async ({ query }) => {
      const keyOf = ({ match }: RouteRow): string => match
      const holds = holding(query.search, ({ match, nextHop }: RouteRow) => [
        match,
        formatNextHop(nextHop),
      ])
      return pageOf(directory.routes(), { keyOf, bodyOf: routeBody, holds }, query)
    },
  )

  app.put(
    '/routes/:match',
    {
      config: { permission: 'routing.write' },
      schema: { params: matchParam, body: newRoute, response: { 200: writtenRoute } },
    },
    async (request) => {
      const nextHop = parseNextHop(request.body.nextHop)
      if (nextHop === undefined)
        throw new ApiError(
          'invalid',
          `${request.body.nextHop} is no next hop`,
          'Give smtp:HOST:PORT, lmtp:HOST:PORT, local or hold.',
        )
      const row = { match: lower(request.params.match), nextHop }
      const pending = await writeDirectory(deps, request, target(row.match), () =>
        ok([{ kind: 'put', row: { kind: 'route', route: row } }]),
      )
      return { ...routeBody(row), pending }
    },
  )

  app.delete(
    '/routes/:match',
    {
      config: { permission: 'routing.write' },
      schema: { params: matchParam, response: { 200: done } },
    },
    async (request) => {
      const which = target(lower(request.params.match))
      const pending = await writeDirectory(deps, request, which, () =>
        ok([{ kind: 'remove', key: which.key }]),
      )
      return { pending }
    },
  )
}
