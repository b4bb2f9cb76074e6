import type { IncomingMessage, ServerResponse } from 'node:http'
import { fromUtf8 } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import { peerAddress } from '#net/peer.ts'
import { APP_PASSWORDS_MAX, APP_PROTOCOLS, isAppPasswordName } from '#model/app-password.ts'
import type {
  AppPassword,
  AppPasswordChange,
  AppPasswordUse,
  AppProtocol,
} from '#model/app-password.ts'
import { isObject } from '#server/jmap/method/args.ts'
import { LOGIN_BODY_BYTES_MAX } from '#server/jmap/limits.ts'
import { makeAppPassword } from '#store/directory/app-passwords.ts'
import type { Access, AccessParts } from './access.ts'
import { refusedLogin } from './access.ts'
import { parseJson, readBody } from './body.ts'
import { sendProblem } from './problem.ts'
import type { Problem } from './problem.ts'

/** Where app passwords are kept: by control, which everybody hears it from. */
export interface AppPasswordBook {
  /** Throws a Fault where control is away. */
  change(change: AppPasswordChange): Promise<'done' | 'limit' | 'notFound'>
  /** Of new SCRAM keys. */
  readonly iterations: () => number
  readonly nowMs: () => number
  /** When they were used last. Throws a Fault where control is away. */
  usesOf?(accountId: AccountId): Promise<readonly AppPasswordUse[]>
}

interface Asked {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly access: Access
  readonly book: AppPasswordBook | undefined
  readonly authenticator: AccessParts['authenticator']
}

/** GET, POST and DELETE /auth/app-passwords: one's own, on a page alone. No app password opens it. */
export async function appPasswords(asked: Asked, id: string | undefined): Promise<void> {
  const { incoming, response, access, book } = asked
  if (access.session === undefined)
    return sendProblem(response, { status: 403, title: 'Log in on the page first' })
  if (book === undefined) return sendProblem(response, AWAY)
  if (incoming.method === 'DELETE') return take(asked, book, id ?? '')
  if (incoming.method === 'POST') return make(asked, book)
  // Whoever wants to take one back must not wait for when it was used last.
  const uses = (await book.usesOf?.(access.account.id).catch(() => undefined)) ?? []
  const items = (access.account.appPasswords ?? []).map((each) => {
    const use = uses.find(({ id: used }) => used === each.id)
    const { at, ip, protocol } = use ?? {}
    return { ...shown(each), ...(use !== undefined && { lastUse: { at, ip, protocol } }) }
  })
  send(response, 200, { items })
}

/** {name, protocols?, password}: who has found an open page does not know the password. */
async function make({ incoming, response, access, authenticator }: Asked, book: AppPasswordBook) {
  const limit = { name: 'maxSizeRequest', bytesMax: LOGIN_BODY_BYTES_MAX }
  const body = parseJson(await readBody(incoming, limit))
  const { name, protocols, password } = isObject(body) ? body : {}
  if (typeof name !== 'string' || !isAppPasswordName(name))
    return sendProblem(response, { status: 400, title: 'name is one line that can be seen' })
  if (protocols !== undefined && !areProtocols(protocols))
    return sendProblem(response, {
      status: 400,
      title: `protocols are some of ${APP_PROTOCOLS.join(', ')}`,
    })
  if (typeof password !== 'string' || !password.isWellFormed())
    return sendProblem(response, { status: 400, title: 'password is a text' })
  const { account } = access
  const answer = await authenticator.login({
    login: `${account.username}@${account.domain}`,
    password: fromUtf8(password),
    ip: peerAddress(incoming.socket).ip,
    protocol: 'page',
  })
  if (!answer.ok) {
    const { problem, headers } = refusedLogin(answer.error)
    // 401 would say that the session has ended.
    return sendProblem(
      response,
      problem.status === 401 ? { ...problem, status: 422 } : problem,
      headers,
    )
  }
  const made = await makeAppPassword(answer.value, {
    name,
    ...(protocols !== undefined && { protocols }),
    atMs: book.nowMs(),
    iterations: book.iterations(),
  })
  const done = await book.change({ accountId: account.id, add: made.row })
  if (done !== 'done') return sendProblem(response, TROUBLES[done])
  send(response, 201, { ...shown(made.row), password: made.password })
}

async function take({ response, access }: Asked, book: AppPasswordBook, id: string): Promise<void> {
  const done = await book.change({ accountId: access.account.id, remove: id })
  if (done !== 'done') return sendProblem(response, TROUBLES[done])
  response.writeHead(204)
  response.end()
}

const AWAY: Problem = { status: 503, title: 'Passwords cannot be changed now: try again later' }
const TROUBLES: Readonly<Record<'limit' | 'notFound', Problem>> = {
  limit: { status: 409, title: `There are ${APP_PASSWORDS_MAX} already: take one back first` },
  notFound: { status: 404, title: 'There is no such password' },
}

const areProtocols = (value: unknown): value is readonly AppProtocol[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= APP_PROTOCOLS.length &&
  value.every((each) => APP_PROTOCOLS.some((known) => known === each))

/** All that is told of one: never what it is checked with. */
const shown = ({ id, name, createdAt, protocols }: AppPassword) => ({
  id,
  name,
  createdAt,
  ...(protocols !== undefined && { protocols }),
})

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}
