import { z } from 'zod'
import { done, page, pageQuery } from '#contract/admin/common.ts'
import { domain, directoryChange, newDomain, writtenDomain } from '#contract/admin/directory.ts'
import type { DomainBody } from '#contract/admin/directory.ts'
import type { LocalDomain } from '#model/account.ts'
import { domainKey } from '#model/address.ts'
import { authorOf, isoTime, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { lower, numberAfter, pageOf } from './lookup.ts'

const named = z.object({ name: z.string() })

export function domainRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const body = (row: LocalDomain): DomainBody => ({
    ...row,
    isDefault: row.name === directory.defaultDomain,
  })

  app.get(
    '/domains',
    { schema: { querystring: pageQuery, response: { 200: page(domain) } } },
    async ({ query }) => {
      const { items, ...next } = pageOf(directory.domains(), ({ name }) => name, query)
      return { items: items.map(body), ...next }
    },
  )

  app.post(
    '/domains',
    { schema: { body: newDomain, response: { 201: writtenDomain } } },
    async (request, reply) => {
      const name = lower(request.body.name)
      const { convertTo } = request.body
      taken(
        await deps.directory.update((now) => {
          if (now.domain(name) !== undefined)
            throw new ApiError('conflict', `${name} is there already`, 'watari domain ls shows it.')
          const row = { name, ...(convertTo !== undefined && { convertTo: lower(convertTo) }) }
          return { ok: true, value: [{ kind: 'put', row: { kind: 'domain', domain: row } }] }
        }, authorOf(request)),
      )
      const pending = [...(await deps.hub.settled())]
      return reply.code(201).send({ ...body(directory.domain(name)!), pending })
    },
  )

  app.delete(
    '/domains/:name',
    { schema: { params: named, response: { 200: done } } },
    async (request) => {
      const key = `domain:${domainKey(lower(request.params.name))}`
      taken(await deps.directory.write([{ kind: 'remove', key }], authorOf(request)))
      return { pending: [...(await deps.hub.settled())] }
    },
  )

  app.get(
    '/directory/history',
    { schema: { querystring: pageQuery, response: { 200: page(directoryChange) } } },
    async ({ query }) => {
      const before = numberAfter(query.after)
      const { items } = await deps.directoryLog.history({
        limit: query.limit,
        ...(before !== undefined && { before }),
      })
      return {
        items: items.map(({ seq, atMs, by, key, before: old, after }) => ({
          seq,
          at: isoTime(atMs),
          who: by.who,
          from: by.from,
          key,
          before: old,
          after,
        })),
        ...(items.length === query.limit && { next: String(items.at(-1)!.seq) }),
      }
    },
  )
}
