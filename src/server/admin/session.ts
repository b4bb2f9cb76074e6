import type { FastifyRequest } from 'fastify'
import { fromUtf8 } from '#base/octets.ts'
import { HOUR_MS, MINUTE_MS } from '#base/time.ts'
import { newSession, session, sessionEnded, sessionQuery } from '#contract/admin/session.ts'
import type { SessionBody } from '#contract/admin/session.ts'
import type { Account } from '#model/account.ts'
import { mayLogIn } from '#model/account-life.ts'
import { permissionsOf, roleOf } from '#model/role.ts'
import type { LoginFault } from '#store/directory/authenticator.ts'
import { isCsrfToken } from '#store/directory/browser-sessions.ts'
import type {
  BrowserSession,
  BrowserSessions,
  SessionRules,
} from '#store/directory/browser-sessions.ts'
import { isoTime } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { mainAddress } from './lookup.ts'

/** Where the door that took the connection says who is at its other end. */
const PEER_HEADER = 'watari-peer'
/** A page that only looks whether something has changed says so: it does not keep a session alive. */
const BACKGROUND_HEADER = 'watari-background'

/** `lists`: the session of that page is meant, and not one of the console. */
const SESSION_HEADER = 'watari-session'

/** Sessions of the console. */
export const ADMIN_SESSIONS: SessionRules = {
  cookie: '__Host-watari-console',
  lifetimeMs: 12 * HOUR_MS,
  idleMs: 30 * MINUTE_MS,
  perAccountMax: 20,
}

/** Of everybody who has a part in lists; with a cookie of its own, since who has no role has no console. */
export const LIST_SESSIONS: SessionRules = { ...ADMIN_SESSIONS, cookie: '__Host-watari-lists' }

/** By what they are for. */
export interface AdminSessions {
  readonly console: BrowserSessions
  readonly lists: BrowserSessions
}

type For = keyof AdminSessions

const SAFE = new Set(['GET', 'HEAD'])

/** Logging in and out from a browser; cookies, never tokens, so that no script can read them. */
export function sessionRoutes(app: AdminServer, deps: AdminDeps, all: AdminSessions): void {
  app.post(
    '/session',
    { config: { permission: 'anybody' }, schema: { body: newSession, response: { 201: session } } },
    async (request, reply) => {
      const { username, password, for: what } = request.body
      const sessions = all[what]
      const answer = await deps.authenticator.login({
        login: username,
        password: fromUtf8(password),
        ip: peerOf(request) ?? '127.0.0.1',
        protocol: 'page',
      })
      if (!answer.ok) throw refusedLogin(answer.error)
      if (what === 'console' && roleOf(answer.value) === 'user')
        throw new ApiError(
          'forbidden',
          `${username} has no role here`,
          'Log in with an account that has one: watari user show USER tells.',
        )
      sessions.close(request.headers.cookie)
      const opened = sessions.open(answer.value)
      void reply.header('set-cookie', opened.setCookie).header('cache-control', 'no-store')
      return reply.code(201).send(body(deps, opened.session))
    },
  )

  app.get(
    '/session',
    {
      config: { permission: 'anybody' },
      schema: { querystring: sessionQuery, response: { 200: session } },
    },
    async (request, reply) => {
      const found = sessionOf(deps, all, request, request.query.for)
      if (found === undefined)
        throw new ApiError('unauthorised', 'nobody is logged in', 'POST /session logs in.')
      void reply.header('cache-control', 'no-store')
      return body(deps, found)
    },
  )

  app.delete(
    '/session',
    {
      config: { permission: 'known' },
      schema: { querystring: sessionQuery, response: { 200: sessionEnded } },
    },
    async (request, reply) => {
      const sessions = all[request.query.for]
      sessions.close(request.headers.cookie)
      void reply.header('set-cookie', sessions.noCookie)
      return {}
    },
  )
}

/** The session that a request comes with; of the console while its account has a role. Undefined: none. */
function sessionOf(
  deps: AdminDeps,
  all: AdminSessions,
  request: FastifyRequest,
  what: For,
): BrowserSession | undefined {
  const sessions = all[what]
  const isQuiet = request.headers[BACKGROUND_HEADER] !== undefined
  const found = sessions.find(request.headers.cookie, isQuiet ? 'quiet' : 'used')
  if (found === undefined) return undefined
  const account = deps.directory.directory.account(found.accountId)
  const isGood =
    account !== undefined &&
    (what === 'lists' || roleOf(account) !== 'user') &&
    mayLogIn(account, deps.directory.directory.moment) &&
    account.credentialVersion === found.credentialVersion
  if (isGood) return found
  sessions.close(request.headers.cookie)
  return undefined
}

/** Who asks by cookie: a changing request must bring the session's own token, which other pages cannot know. */
export function sessionAccount(
  deps: AdminDeps,
  all: AdminSessions,
  request: FastifyRequest,
): Account | undefined {
  // Both may be open in one browser, for two people: a page of lists says that it is one.
  const isOfLists = request.headers[SESSION_HEADER] === 'lists'
  const found =
    (isOfLists ? undefined : sessionOf(deps, all, request, 'console')) ??
    sessionOf(deps, all, request, 'lists')
  if (found === undefined) return undefined
  if (!SAFE.has(request.method) && !isCsrfToken(found, request.headers['x-csrf-token']))
    throw new ApiError(
      'forbidden',
      'the x-csrf-token field is missing or wrong',
      'Send the csrfToken of GET /session in it.',
    )
  return deps.directory.directory.account(found.accountId)
}

/** The address at the other end of the door's connection; undefined: this machine. */
export function peerOf(request: FastifyRequest): string | undefined {
  const told = request.headers[PEER_HEADER]
  if (typeof told === 'string' && told !== '') return told
  return request.ip === '' ? undefined : request.ip
}

function body(deps: AdminDeps, found: BrowserSession): SessionBody {
  const account = deps.directory.directory.account(found.accountId)!
  return {
    username: account.username,
    address: mainAddress(account),
    ...(account.name !== undefined && { name: account.name }),
    role: roleOf(account),
    permissions: [...permissionsOf(roleOf(account))],
    csrfToken: found.csrfToken,
    expires: isoTime(found.endsAtMs),
  }
}

function refusedLogin(fault: LoginFault): ApiError {
  if (fault === 'refused')
    return new ApiError(
      'unauthorised',
      'user name or password is wrong',
      'watari user passwd USER sets a new password.',
    )
  if (fault === 'slowed')
    return new ApiError('slowed', 'too many wrong passwords', 'Try again in some minutes.')
  return new ApiError('unavailable', 'logins cannot be checked now', 'Try again in some seconds.')
}
