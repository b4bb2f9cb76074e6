import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestListener } from 'node:http'
import fastifySwagger from '@fastify/swagger'
import fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Log } from '#base/log.ts'
import { oneLine } from '#base/text.ts'
import { roleOf } from '#model/role.ts'
import type { Role } from '#model/role.ts'
import type { AccountId } from '#model/account.ts'
import { BrowserSessions } from '#store/directory/browser-sessions.ts'
import { accessRoutes } from './access.ts'
import { aliasRoutes } from './aliases.ts'
import { ACCOUNT, AUTHOR, BY_SESSION, ROLE } from './context.ts'
import type { AdminDeps, Author } from './context.ts'
import { bulkRoutes } from './bulk.ts'
import { dkimRoutes } from './dkim.ts'
import { domainRoutes } from './domains.ts'
import { ApiError, sendError } from './errors.ts'
import { explainRoutes } from './explain.ts'
import { forwardRoutes } from './forwards.ts'
import { listFilterRoutes } from './lists/filters.ts'
import { listMemberRoutes } from './lists/members.ts'
import { ownListRoutes } from './lists/own.ts'
import { listRoutes } from './lists/lists.ts'
import { needListRight, needPostRight } from './lists/right.ts'
import { longPages } from './long-pages.ts'
import { importRoutes } from './imports.ts'
import { listImportRoutes } from './list-imports.ts'
import { judgeRoutes } from './judge.ts'
import { aclRoutes } from './acl.ts'
import { mailboxRoutes } from './mailboxes.ts'
import { nodeRoutes } from './nodes.ts'
import { peopleFileRoutes } from './people-files.ts'
import { overviewRoutes } from './overview.ts'
import { need, permissionOf, refuseUndeclared } from './permission.ts'
import { queueRoutes } from './queue.ts'
import { routeRoutes } from './routes.ts'
import { scriptRoutes } from './scripts.ts'
import { SCIM_PREFIX, scimRoutes } from './scim/scim.ts'
import { postRoutes } from './posts.ts'
import { searchRoutes } from './search.ts'
import { ADMIN_SESSIONS, LIST_SESSIONS, peerOf, sessionAccount, sessionRoutes } from './session.ts'
import type { AdminSessions } from './session.ts'
import { settingsRoutes } from './settings.ts'
import { appPasswordRoutes } from './app-passwords.ts'
import { choicesRoutes } from './choices.ts'
import { overlapRoutes } from './overlaps.ts'
import { homeRoutes } from './home.ts'
import { sourceRoutes } from './sources.ts'
import { statusRoutes } from './status.ts'
import { tokenRoutes } from './tokens.ts'
import { traceRoutes } from './trace.ts'
import { userLifeRoutes } from './user-life.ts'
import { userRoutes } from './users.ts'

/** JSON of a long list: 100,000 networks and more. */
const BODY_BYTES_MAX = 64 * 1024 * 1024
const PREFIX = '/api/v1'

export interface AdminApp {
  /** For a server of http or https that app has, whatever it listens on. */
  readonly listener: RequestListener
  close(): Promise<void>
}

/** `/api/v1` with its OpenAPI description; every request but that needs a bearer token, or the session of somebody with a role. */
export async function adminApp(deps: AdminDeps, log: Log): Promise<AdminApp> {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    // A key may hold a whole address or Message-ID.
    routerOptions: { maxParamLength: 2_000 },
    // What is wrong before a route is found has the shape of every error, too.
    frameworkErrors: (error, _, reply) => sendError(error, reply, log),
  }).withTypeProvider<ZodTypeProvider>()
  const { clock, sessionShelf } = deps
  const console = new BrowserSessions({
    rules: ADMIN_SESSIONS,
    clock,
    ...(sessionShelf !== undefined && { shelf: sessionShelf }),
  })
  const sessions = { console, lists: new BrowserSessions({ rules: LIST_SESSIONS, clock }) }
  await console.load()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler((error, _, reply) => sendError(error, reply, log))
  app.setNotFoundHandler((request, reply) =>
    sendError(
      new ApiError(
        'notFound',
        `there is no ${request.method} ${oneLine(request.url, 200)}`,
        `${PREFIX}/openapi.json lists what there is.`,
      ),
      reply,
      log,
    ),
  )
  for (const type of ['message/rfc822', 'application/octet-stream'])
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Watari', version: deps.version },
      servers: [{ url: PREFIX }],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: '__Host-watari-console' },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
    transform: (described) => {
      const { schema, url } = jsonSchemaTransform(described)
      const permission = described.route.config?.permission
      return { schema: { ...schema, 'x-permission': permission }, url }
    },
    stripBasePath: true,
  })
  await app.register(
    async (scope) => {
      scope.addHook('onRoute', refuseUndeclared)
      scope.addHook('onRequest', async (request) => {
        const permission = permissionOf(request)
        if (permission === 'anybody') return
        Object.assign(request, authenticate(deps, sessions, request))
        if (permission !== undefined && permission !== 'known') need(request, permission)
        const { list: right, posts } = request.routeOptions.config
        const { list } = request.params as { readonly list: string }
        const { directory } = deps.directory
        if (right !== undefined) needListRight(request, directory, { list, right })
        if (posts !== undefined) needPostRight(request, directory, { list, right: posts })
      })
      scope.addHook('preSerialization', longPages)
      scope.get(
        '/openapi.json',
        { config: { permission: 'anybody' }, schema: { hide: true } },
        async () => app.swagger(),
      )
      const typed = scope.withTypeProvider<ZodTypeProvider>()
      for (const routes of [
        statusRoutes,
        overviewRoutes,
        nodeRoutes,
        domainRoutes,
        tokenRoutes,
        dkimRoutes,
        userRoutes,
        appPasswordRoutes,
        choicesRoutes,
        userLifeRoutes,
        bulkRoutes,
        aliasRoutes,
        listRoutes,
        listMemberRoutes,
        listFilterRoutes,
        ownListRoutes,
        forwardRoutes,
        importRoutes,
        listImportRoutes,
        peopleFileRoutes,
        sourceRoutes,
        explainRoutes,
        overlapRoutes,
        homeRoutes,
        routeRoutes,
        accessRoutes,
        queueRoutes,
        traceRoutes,
        judgeRoutes,
        scriptRoutes,
        mailboxRoutes,
        aclRoutes,
        searchRoutes,
        postRoutes,
        settingsRoutes,
      ])
        routes(typed, deps)
      sessionRoutes(typed, deps, sessions)
    },
    { prefix: PREFIX },
  )
  await app.register(
    async (scope) => {
      scope.addHook('onRoute', refuseUndeclared)
      scope.addHook('onRequest', async (request) => {
        const permission = permissionOf(request)
        // An identity provider is no browser: whoever asks here has a token.
        Object.assign(request, byToken(deps, request, 'scim'))
        if (permission !== undefined && permission !== 'known' && permission !== 'anybody')
          need(request, permission)
      })
      scimRoutes(scope, deps, log)
    },
    { prefix: SCIM_PREFIX },
  )
  await app.ready()
  return {
    listener: (request, response) => app.routing(request, response),
    close: async () => {
      await app.close()
    },
  }
}

const UNAUTHORISED = 'Send "Authorization: Bearer TOKEN"; first-run.json has the first token.'

/** By token, or by session where none is sent. */
function authenticate(deps: AdminDeps, sessions: AdminSessions, request: FastifyRequest): Known {
  const client = request.headers['watari-client']
  if (request.headers.authorization === undefined) {
    const account = sessionAccount(deps, sessions, request)
    if (account !== undefined)
      return {
        [AUTHOR]: authorFrom(request, account.username, 'console'),
        [BY_SESSION]: true,
        [ACCOUNT]: account.id,
        [ROLE]: roleOf(account),
      }
  }
  return byToken(deps, request, typeof client === 'string' ? client : 'api')
}

function byToken(deps: AdminDeps, request: FastifyRequest, client: string): Known {
  const { name, role = 'administrator' } = tokenHolder(deps, request, client)
  return { [AUTHOR]: authorFrom(request, name, client), [BY_SESSION]: false, [ROLE]: role }
}

/** Who asks, by what, and what it may do. */
interface Known {
  readonly [AUTHOR]: Author
  readonly [BY_SESSION]: boolean
  readonly [ACCOUNT]?: AccountId
  readonly [ROLE]: Role
}

function authorFrom(request: FastifyRequest, who: string, client: string): Author {
  return { who, from: oneLine(`${client} ${peerOf(request) ?? 'this machine'}`, 100) }
}

/** Compares hashes in constant time, each of them, so that the time tells nothing. */
function tokenHolder(
  deps: AdminDeps,
  request: FastifyRequest,
  client: string,
): Pick<AdminDeps['tokens'][number], 'name' | 'role'> {
  const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) throw new ApiError('unauthorised', 'a token is needed', UNAUTHORISED)
  const sent = createHash('sha256').update(token).digest()
  let found: AdminDeps['tokens'][number] | undefined
  for (const each of deps.tokens) {
    const wanted = Buffer.from(each.sha256, 'hex')
    if (wanted.byteLength === sent.byteLength && timingSafeEqual(wanted, sent)) found = each
  }
  if (found !== undefined) return found
  // Of a secret of 256 bits nobody comes near to the hash: what a look-up takes tells nothing either.
  const made = deps.apiTokens?.holder(sent.toString('hex'), authorFrom(request, '', client).from)
  if (made === 'expired')
    throw new ApiError(
      'unauthorised',
      'the time of this token is over',
      'Have a new one made: watari token create NAME --role ROLE.',
    )
  if (made === undefined) throw new ApiError('unauthorised', 'the token is not known', UNAUTHORISED)
  return made
}
