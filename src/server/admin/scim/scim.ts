import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '#base/log.ts'
import { oneLine } from '#base/text.ts'
import { isDeeper } from '#codec/scim/json.ts'
import type { Json, JsonObject } from '#codec/scim/json.ts'
import { Refused } from '#codec/scim/problem.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { bulk } from './bulk.ts'
import { PAYLOAD_BYTES_MAX, providerConfig, resourceTypes, schemas } from './discovery.ts'
import { Finder } from './found.ts'
import { groupKind } from './group-kind.ts'
import { Memberships } from './memberships.ts'
import { create, get, isVersion, patch, remove, replace } from './operate.ts'
import type { Answer, Asker, Terms } from './operate.ts'
import { bodyOf, listed, selectionOf } from './query.ts'
import type { ResourceKind } from './resource-kind.ts'
import { gone, SCIM_TYPE, ScimError, sendScim, sendScimError } from './scim-error.ts'
import { userKind } from './user-kind.ts'

export const SCIM_PREFIX = '/scim/v2'

/** An operation of many with a patch in it has seven. */
const DEPTH_MAX = 20

const READS = { config: { permission: 'people.read' }, schema: { hide: true } } as const
const WRITES = { config: { permission: 'people.write' }, schema: { hide: true } } as const

/** SCIM 2.0 (RFC 7644): users and groups, in a scope of its own; who asks is known already. */
export function scimRoutes(scope: FastifyInstance, deps: AdminDeps, log: Log): void {
  const finder = new Finder()
  const kinds = [userKind(deps, new Memberships(deps.directory)), groupKind()]
  scope.setErrorHandler((error, _, reply) => sendScimError(error, reply, log))
  scope.setNotFoundHandler((request, reply) => {
    const what = `there is no ${request.method} ${oneLine(request.url, 200)}`
    sendScimError(new ScimError(404, what), reply, log)
  })
  readJson(scope)
  for (const kind of kinds) kindRoutes(scope, deps, { kind, finder })
  discoveryRoutes(scope)
  scope.post('/.search', READS, async (request, reply) =>
    sendScim(
      reply,
      200,
      await listed(askerOf(deps, request), kinds, { ask: bodyOf(request.body), finder }),
    ),
  )
  scope.post('/Bulk', { ...WRITES, bodyLimit: PAYLOAD_BYTES_MAX }, async (request, reply) => {
    const parts = { kinds, clock: deps.clock, log }
    const done = await bulk(askerOf(deps, request), bodyOf(request.body), parts)
    await settled(deps, reply)
    return sendScim(reply, 200, done)
  })
  scope.all('/Me', { ...READS, config: { permission: 'known' } }, () => {
    throw new ScimError(501, 'a token is nobody: ask for /Users/ID') // RFC 7644 §3.11
  })
}

/** Both types of content; a DELETE that says a type and has no body is none (Okta). */
function readJson(scope: FastifyInstance): void {
  const parse = scope.getDefaultJsonParser('error', 'error')
  scope.addContentTypeParser(
    ['application/scim+json', 'application/json'],
    { parseAs: 'string', bodyLimit: PAYLOAD_BYTES_MAX },
    (request, body: string, done) => {
      if (body.trim() === '') return done(null, undefined)
      return void parse(request, body, (error, json: unknown) =>
        isDeeper(json, DEPTH_MAX)
          ? done(new Refused('invalidSyntax', `nested more than ${DEPTH_MAX} deep`))
          : done(error, json),
      )
    },
  )
}

function kindRoutes(
  scope: FastifyInstance,
  deps: AdminDeps,
  { kind, finder }: { readonly kind: ResourceKind<unknown>; readonly finder: Finder },
): void {
  const { endpoint } = kind
  const one = `${endpoint}/:id`
  const many = async (request: FastifyRequest, reply: FastifyReply, ask: JsonObject) =>
    sendScim(reply, 200, await listed(askerOf(deps, request), [kind], { ask, finder }))

  scope.get(endpoint, READS, (request, reply) => many(request, reply, queryIn(request)))
  scope.post(`${endpoint}/.search`, READS, (request, reply) =>
    many(request, reply, bodyOf(request.body)),
  )
  scope.get(one, READS, (request, reply) => {
    const asked = { id: idIn(request), selection: selectionOf(queryIn(request)) }
    const answer = get(askerOf(deps, request), kind, asked)
    const known = request.headers['if-none-match']
    const version = answer.version?.slice('W/"'.length, -1) ?? ''
    if (known !== undefined && isVersion(known, version)) return void reply.code(304).send()
    sendAnswer(reply, answer)
  })
  scope.post(endpoint, WRITES, async (request, reply) => {
    const terms = termsOf(request)
    const asked = { ...terms, data: request.body as Json | undefined }
    const answer = await create(askerOf(deps, request), kind, asked)
    await settled(deps, reply)
    return sendAnswer(reply, answer)
  })
  scope.put(one, WRITES, async (request, reply) => {
    const asked = { ...termsOf(request), id: idIn(request), data: request.body as Json | undefined }
    const answer = await replace(askerOf(deps, request), kind, asked)
    await settled(deps, reply)
    return sendAnswer(reply, answer)
  })
  scope.patch(one, WRITES, async (request, reply) => {
    const asked = { ...termsOf(request), id: idIn(request), data: request.body as Json | undefined }
    const answer = await patch(askerOf(deps, request), kind, asked)
    await settled(deps, reply)
    return sendAnswer(reply, answer)
  })
  scope.delete(one, WRITES, async (request, reply) => {
    const asked = { ...termsOf(request), id: idIn(request) }
    const answer = await remove(askerOf(deps, request), kind, asked)
    await settled(deps, reply)
    return sendAnswer(reply, answer)
  })
}

function discoveryRoutes(scope: FastifyInstance): void {
  scope.get('/ServiceProviderConfig', READS, (request, reply) =>
    sendScim(reply, 200, providerConfig(baseOf(request))),
  )
  for (const [endpoint, name, allOf] of [
    ['/ResourceTypes', 'ResourceType', resourceTypes],
    ['/Schemas', 'Schema', schemas],
  ] as const) {
    scope.get(endpoint, READS, (request, reply) => {
      // RFC 7644 §4: a filter here is refused, since nothing is to be found by it.
      if (queryIn(request)['filter'] !== undefined)
        throw new ScimError(403, `${endpoint} is asked whole, without a filter`)
      const all = allOf(baseOf(request))
      sendScim(reply, 200, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
        totalResults: all.length,
        startIndex: 1,
        itemsPerPage: all.length,
        Resources: all,
      })
    })
    scope.get(`${endpoint}/:id`, READS, (request, reply) => {
      const id = idIn(request)
      const found = allOf(baseOf(request)).find((each) => each.id === id)
      if (found === undefined) throw gone(name, id)
      sendScim(reply, 200, found)
    })
  }
}

const idIn = (request: FastifyRequest): string => (request.params as { readonly id: string }).id

const queryIn = (request: FastifyRequest): JsonObject => request.query as JsonObject

function termsOf(request: FastifyRequest): Terms {
  const { attributes, excludedAttributes } = queryIn(request)
  const isAsked = attributes !== undefined || excludedAttributes !== undefined
  return {
    version: request.headers['if-match'],
    ...(isAsked && { selection: selectionOf(queryIn(request)) }),
  }
}

const askerOf = (deps: AdminDeps, request: FastifyRequest): Asker => ({
  deps,
  request,
  base: baseOf(request),
})

/** As the client reached us: the door is HTTPS, and hands on which host was meant. */
function baseOf({ headers: { host } }: FastifyRequest): string {
  const isHost = host !== undefined && /^[\w.-]+(?::\d+)?$|^\[[\da-fA-F:]+\](?::\d+)?$/.test(host)
  return isHost ? `https://${host}${SCIM_PREFIX}` : SCIM_PREFIX
}

/** Waits for the nodes; SCIM has no word for those that lag behind. */
async function settled({ hub }: AdminDeps, reply: FastifyReply): Promise<void> {
  const pending = await hub.settled()
  if (pending.length > 0)
    void reply.header('watari-pending', pending.map(({ node }) => node).join(', '))
}

function sendAnswer(reply: FastifyReply, { status, body, location, version }: Answer): void {
  if (version !== undefined) void reply.header('etag', version)
  if (location !== undefined) void reply.header('location', location)
  if (body === undefined) void reply.code(status).type(SCIM_TYPE).send()
  else sendScim(reply, status, body)
}
