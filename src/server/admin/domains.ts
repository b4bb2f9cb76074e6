import { z } from 'zod'
import { ok } from '#base/outcome.ts'
import { done, page } from '#contract/admin/common.ts'
import {
  directoryChange,
  directoryHistoryQuery,
  domain,
  domainChange,
  newDomain,
  searchQuery,
  writtenDomain,
} from '#contract/admin/directory.ts'
import type { DomainBody } from '#contract/admin/directory.ts'
import type { LocalDomain } from '#model/account.ts'
import { domainKey } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import { newSaltKey } from '#store/directory/scram-keys.ts'
import { isoTime } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { versioned, writeDirectory } from './directory-writes.ts'
import type { Target } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { withQuota } from './quota.ts'
import { holding, lower, numberAfter, pageOf } from './lookup.ts'

const named = z.object({ name: z.string() })

export function domainRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const body = (row: LocalDomain, now: Directory = directory): DomainBody =>
    versioned({
      name: row.name,
      ...(row.convertTo !== undefined && { convertTo: row.convertTo }),
      ...(row.quota !== undefined && { quota: row.quota }),
      isDefault: row.name === now.defaultDomain,
    })
  const target = (name: string): Target => ({
    key: `domain:${domainKey(name)}`,
    name: `the domain ${name}`,
    version: (now) => {
      const row = now.domain(name)
      return row && body(row, now).version
    },
  })

  app.get(
    '/domains',
    {
      config: { permission: 'people.read' },
      schema: { querystring: searchQuery, response: { 200: page(domain) } },
    },
    async ({ query }) => {
      const keyOf = ({ name }: LocalDomain): string => name
      const holds = holding(query.search, ({ name, convertTo }: LocalDomain) => [
        name,
        convertTo ?? '',
      ])
      return pageOf(directory.domains(), { keyOf, bodyOf: (row) => body(row), holds }, query)
    },
  )

  app.post(
    '/domains',
    {
      config: { permission: 'routing.write' },
      schema: { body: newDomain, response: { 201: writtenDomain } },
    },
    async (request, reply) => {
      const name = lower(request.body.name)
      const { convertTo, quota } = request.body
      const pending = await writeDirectory(deps, request, target(name), (now) => {
        if (now.domain(name) !== undefined)
          throw new ApiError('conflict', `${name} is there already`, 'watari domain ls shows it.')
        const row = {
          name,
          ...(convertTo !== undefined && { convertTo: lower(convertTo) }),
          ...withQuota(undefined, quota),
          saltKey: newSaltKey(),
        }
        return ok([{ kind: 'put', row: { kind: 'domain', domain: row } }])
      })
      return reply.code(201).send({ ...body(directory.domain(name)!), pending })
    },
  )

  app.put(
    '/domains/:name',
    {
      config: { permission: 'routing.write' },
      schema: { params: named, body: domainChange, response: { 200: writtenDomain } },
    },
    async (request) => {
      const name = lower(request.params.name)
      const { convertTo, quota } = request.body
      const pending = await writeDirectory(deps, request, target(name), (now) => {
        const before = now.domain(name)
        if (before === undefined)
          throw new ApiError(
            'notFound',
            `there is no domain ${name}`,
            'watari domain ls shows what there is.',
          )
        const given = typeof convertTo === 'string' ? lower(convertTo) : undefined
        const converted = convertTo === undefined ? before.convertTo : given
        const row = {
          name: before.name,
          ...(converted !== undefined && { convertTo: converted }),
          ...withQuota(before.quota, quota),
          ...(before.saltKey !== undefined && { saltKey: before.saltKey }),
          ...(before.dkim !== undefined && { dkim: before.dkim }),
        }
        return ok([{ kind: 'put', row: { kind: 'domain', domain: row } }])
      })
      return { ...body(directory.domain(name)!), pending }
    },
  )

  app.delete(
    '/domains/:name',
    { config: { permission: 'routing.write' }, schema: { params: named, response: { 200: done } } },
    async (request) => {
      const which = target(lower(request.params.name))
      const pending = await writeDirectory(deps, request, which, () =>
        ok([{ kind: 'remove', key: which.key }]),
      )
      return { pending }
    },
  )

  app.get(
    '/directory/history',
    {
      config: { permission: 'history.read' },
      schema: { querystring: directoryHistoryQuery, response: { 200: page(directoryChange) } },
    },
    async ({ query }) => {
      const before = numberAfter(query.after)
      const { items } = await deps.directoryLog.history({
        limit: query.limit,
        ...(before !== undefined && { before }),
        ...(query.key !== undefined && { key: query.key }),
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
