import type { IncomingMessage } from 'node:http'
import { bufferOf, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { mayLogIn } from '#model/account-life.ts'
import { peerAddress } from '#net/peer.ts'
import type { Authenticator, LoginFault } from '#store/directory/authenticator.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import { isCsrfToken } from '#store/directory/browser-sessions.ts'
import type { BrowserSession, BrowserSessions } from '#store/directory/browser-sessions.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { Problem } from './problem.ts'

/** Who asks: by Basic, or by the cookie of a web session. */
export interface Access {
  readonly account: Entrant
  readonly session?: BrowserSession
}

/** A refusal and the fields that go with it. */
export interface Refused {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

export interface AccessParts {
  readonly authenticator: Authenticator
  readonly directory: Pick<Directory, 'account' | 'moment'>
  readonly sessions: BrowserSessions
}

/** Request field with the session's token. */
export const CSRF_HEADER = 'x-csrf-token'

/** Who asks, or why not. A changing request by cookie must bring the session's token. */
export async function accessOf(
  incoming: IncomingMessage,
  parts: AccessParts,
): Promise<Outcome<Access, Refused>> {
  const { authorization, cookie } = incoming.headers
  if (authorization !== undefined) return basicAccess(incoming, authorization, parts)
  if (!parts.sessions.hasCookie(cookie)) return err(isFromPage(incoming) ? ENDED : UNASKED)
  const session = parts.sessions.find(cookie)
  const account = session && parts.directory.account(session.accountId)
  if (
    session === undefined ||
    account === undefined ||
    !mayLogIn(account, parts.directory.moment) ||
    account.credentialVersion !== session.credentialVersion
  )
    return err(ENDED)
  const isChanging = incoming.method !== 'GET' && incoming.method !== 'HEAD'
  if (isChanging && !isCsrfToken(session, incoming.headers[CSRF_HEADER]))
    return err({
      problem: { status: 403, title: `The ${CSRF_HEADER} field lacks or is wrong` },
      headers: {},
    })
  return ok({ account, session })
}

const CHALLENGE = { 'www-authenticate': 'Basic realm="Watari", charset="UTF-8"' }
const UNASKED: Refused = { problem: { status: 401, title: 'Log in' }, headers: CHALLENGE }

/** No WWW-Authenticate: a browser would ask for a password by itself. */
const ENDED: Refused = {
  problem: { status: 401, title: 'The session has ended: log in' },
  headers: {},
}

/** A page's script asks, by what its browser says (W3C Fetch Metadata); programs send no such field. */
const isFromPage = ({ headers }: IncomingMessage): boolean => headers['sec-fetch-dest'] === 'empty'

async function basicAccess(
  incoming: IncomingMessage,
  authorization: string,
  parts: AccessParts,
): Promise<Outcome<Access, Refused>> {
  const credentials = basicCredentials(authorization)
  if (credentials === undefined) return err(UNASKED)
  const { ip } = peerAddress(incoming.socket)
  const answer = await parts.authenticator.login({ ...credentials, ip, protocol: 'http' })
  if (answer.ok) return ok({ account: answer.value })
  const refused = refusedLogin(answer.error)
  return err(answer.error === 'refused' ? { ...refused, headers: CHALLENGE } : refused)
}

/** Our own trouble is never "wrong password". */
export function refusedLogin(fault: LoginFault): Refused {
  if (fault === 'refused')
    return { problem: { status: 401, title: 'User name or password is wrong' }, headers: {} }
  if (fault === 'slowed')
    return {
      problem: { status: 429, title: 'Too many wrong passwords: try again later' },
      headers: { 'retry-after': '60' },
    }
  return {
    problem: { status: 503, title: 'Logging in is not possible now' },
    headers: { 'retry-after': '5' },
  }
}

/** RFC 7617 §2: the password is whatever octets follow the first colon. */
function basicCredentials(
  authorization: string,
): { readonly login: string; readonly password: Octets } | undefined {
  const match = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization.trim())
  if (match === null) return undefined
  const octets = bufferOf(Buffer.from(match[1]!, 'base64'))
  const colon = octets.indexOf(0x3a)
  const login = colon < 0 ? undefined : toUtf8Strict(octets.subarray(0, colon))
  return login === undefined ? undefined : { login, password: octets.subarray(colon + 1) }
}
