import { z } from 'zod'
import { isFault } from '#base/outcome.ts'
import { done } from '#contract/admin/common.ts'
import { drainBody, newToken, tokenBody } from '#contract/admin/nodes.ts'
import { isoTime } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'

const nameParam = z.object({ name: z.string() })

export function nodeRoutes(app: AdminServer, deps: AdminDeps): void {
  app.post(
    '/nodes/tokens',
    {
      config: { permission: 'nodes.write' },
      schema: { body: newToken, response: { 201: tokenBody } },
    },
    async (request, reply) => {
      const { name, role } = request.body
      const { token, expiresAtMs } = await deps.nodes.issue({ name, role }).catch(refused)
      return reply.code(201).send({ name, role, token, expires: isoTime(expiresAtMs) })
    },
  )

  app.put(
    '/nodes/:name/draining',
    {
      config: { permission: 'nodes.write' },
      schema: { params: nameParam, body: drainBody, response: { 200: done } },
    },
    async ({ params, body }) => {
      if (!(await deps.nodes.drain(params.name, body.draining))) throw unknown(params.name)
      return { pending: [...(await deps.hub.settled())] }
    },
  )

  app.delete(
    '/nodes/:name',
    {
      config: { permission: 'nodes.write' },
      schema: { params: nameParam, response: { 200: done } },
    },
    async ({ params }) => {
      if (!(await deps.nodes.remove(params.name))) throw unknown(params.name)
      deps.hub.forget(params.name)
      return { pending: [...(await deps.hub.settled())] }
    },
  )
}

function refused(thrown: unknown): never {
  if (!isFault(thrown, 'conflict')) throw thrown
  throw new ApiError('conflict', thrown.message, 'watari node ls shows who is there.')
}

const unknown = (name: string): ApiError =>
  new ApiError('notFound', `no node ${name} has joined`, 'watari node ls shows them.')
