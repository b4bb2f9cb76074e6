import { z } from 'zod'
import { page, pageQuery } from '#contract/admin/common.ts'
import {
  apiTokenChange,
  apiTokens,
  madeApiToken,
  newApiToken,
  removedApiToken,
} from '#contract/admin/tokens.ts'
import { TOKENS_MAX } from '#model/api-token.ts'
import type { ApiTokens } from '#store/directory/api-tokens.ts'
import { authorOf } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { numberAfter } from './lookup.ts'

/** Tokens of programs: made and taken back by whoever may give roles. */
export function tokenRoutes(app: AdminServer, deps: AdminDeps): void {
  const room = (): ApiTokens => {
    if (deps.apiTokens !== undefined) return deps.apiTokens
    throw new ApiError('unavailable', 'no tokens are kept here', 'Ask control.')
  }

  app.get(
    '/tokens',
    { config: { permission: 'roles.write' }, schema: { response: { 200: apiTokens } } },
    async () => ({
      items: room().all.map(({ name, role, createdAt, expiresAt, lastUse }) => ({
        name,
        role,
        createdAt,
        expiresAt,
        isExpired: deps.clock.nowMs() >= Date.parse(expiresAt),
        ...(lastUse !== undefined && { lastUse: { ...lastUse } }),
      })),
    }),
  )

  app.post(
    '/tokens',
    {
      config: { permission: 'roles.write' },
      schema: { body: newApiToken, response: { 201: madeApiToken } },
    },
    async (request, reply) => {
      const made = await room().make(request.body, authorOf(request))
      if (!made.ok) throw refused(made.error, request.body.name)
      const { secret, token } = made.value
      const { name, role, createdAt, expiresAt } = token
      void reply.header('cache-control', 'no-store')
      return reply.code(201).send({ name, role, createdAt, expiresAt, token: secret })
    },
  )

  app.get(
    '/tokens/history',
    {
      config: { permission: 'history.read' },
      schema: { querystring: pageQuery, response: { 200: page(apiTokenChange) } },
    },
    async ({ query }) => {
      const before = numberAfter(query.after)
      const { items = [] } =
        (await deps.tokenLog?.tokenHistory({
          limit: query.limit,
          ...(before !== undefined && { before }),
        })) ?? {}
      return {
        items: items.map(({ by, ...change }) => ({ ...change, who: by.who, from: by.from })),
        ...(items.length === query.limit && { next: String(items.at(-1)!.seq) }),
      }
    },
  )

  app.delete(
    '/tokens/:name',
    {
      config: { permission: 'roles.write' },
      schema: { params: z.object({ name: z.string() }), response: { 200: removedApiToken } },
    },
    async (request) => {
      const { name } = request.params
      if (await room().remove(name, authorOf(request))) return { removed: name }
      throw new ApiError(
        'notFound',
        `there is no token ${name}`,
        'watari token ls shows them; those of host.yaml are taken back there, with a restart.',
      )
    },
  )
}

const refused = (why: 'exists' | 'limit', name: string): ApiError =>
  why === 'exists'
    ? new ApiError(
        'conflict',
        `there is a token ${name} already, here or in host.yaml`,
        'Take another name: it says whose acts they are. watari token rm NAME takes one back.',
      )
    : new ApiError(
        'limit',
        `there are ${TOKENS_MAX} tokens`,
        'Take some back first: watari token ls, then watari token rm NAME.',
      )
