import type { IncomingMessage, ServerResponse } from 'node:http'
import { fromUtf8 } from '#base/octets.ts'
import { peerAddress } from '#net/peer.ts'
import { isCsrfToken } from '#store/directory/browser-sessions.ts'
import { CSRF_HEADER, refusedLogin } from './access.ts'
import type { AccessParts } from './access.ts'
import { isObject } from '#server/jmap/method/args.ts'
import { parseJson, readBody } from './body.ts'
import { LOGIN_BODY_BYTES_MAX } from '#server/jmap/limits.ts'
import { sendProblem } from './problem.ts'

/** POST /auth/login {username, password}: a cookie, and the token that goes with each POST. */
export async function login(
  incoming: IncomingMessage,
  response: ServerResponse,
  parts: AccessParts,
): Promise<void> {
  // A form of a foreign page cannot send this type, so nobody is logged in as somebody else.
  if (!/^application\/json\s*(;|$)/i.test(incoming.headers['content-type'] ?? ''))
    return sendProblem(response, { status: 415, title: 'Send application/json' })
  const limit = { name: 'maxSizeRequest', bytesMax: LOGIN_BODY_BYTES_MAX }
  const body = parseJson(await readBody(incoming, limit))
  const { username, password } = isObject(body) ? body : {}
  if (!isText(username) || !isText(password))
    return sendProblem(response, { status: 400, title: 'username and password are texts' })
  const { ip } = peerAddress(incoming.socket)
  const answer = await parts.authenticator.login({
    login: username,
    password: fromUtf8(password),
    ip,
    protocol: 'page',
  })
  if (!answer.ok) {
    const { problem, headers } = refusedLogin(answer.error)
    return sendProblem(response, problem, headers)
  }
  parts.sessions.close(incoming.headers.cookie)
  const { session, setCookie } = parts.sessions.open(answer.value)
  response.writeHead(200, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'set-cookie': setCookie,
  })
  response.end(JSON.stringify({ accountId: session.accountId, csrfToken: session.csrfToken }))
}

/** POST /auth/logout: the session ends here, not only in the browser. */
export function logout(
  incoming: IncomingMessage,
  response: ServerResponse,
  parts: AccessParts,
): void {
  const { cookie } = incoming.headers
  const session = parts.sessions.find(cookie)
  if (session !== undefined && !isCsrfToken(session, incoming.headers[CSRF_HEADER]))
    return sendProblem(response, { status: 403, title: `The ${CSRF_HEADER} field is wrong` })
  parts.sessions.close(cookie)
  response.writeHead(204, { 'set-cookie': parts.sessions.noCookie, 'cache-control': 'no-store' })
  response.end()
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed()
