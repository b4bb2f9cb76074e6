import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { fromUtf8 } from '#base/octets.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { endInPieces } from '#net/end-in-pieces.ts'
import { ServerResponse as Answer } from '#net/http.ts'
import { peerAddress } from '#net/peer.ts'
import type { Account } from '#model/account.ts'
import { accessOf } from '#server/jmap/http/access.ts'
import type { Access, AccessParts } from '#server/jmap/http/access.ts'
import { appPasswords } from '#server/jmap/http/app-passwords.ts'
import type { AppPasswordBook } from '#server/jmap/http/app-passwords.ts'
import { parseJson, readBody } from '#server/jmap/http/body.ts'
import { ownChoices } from '#server/jmap/http/choices.ts'
import { download } from '#server/jmap/http/download.ts'
import { eventSource } from '#server/jmap/http/event-source.ts'
import { login, logout } from '#server/jmap/http/login.ts'
import { RequestError, sendProblem } from '#server/jmap/http/problem.ts'
import { upload } from '#server/jmap/http/upload.ts'
import type { WebSockets } from '#server/jmap/http/web-socket.ts'
import type { Watchers } from '#server/jmap/push/watchers.ts'
import { accountOf } from './account-of.ts'
import { answerRequest, sessionOf } from './answer.ts'
import type { Call, JmapRoom } from './room.ts'
import type { CountedLimit, Running } from './running.ts'
import { SOCKET_PATH } from './session-resource.ts'

type Route = (ask: {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly steps: readonly string[]
  readonly access: Access
}) => Promise<void>

/** Routes of requests, and who may make them. */
export class Door {
  readonly #room: JmapRoom
  readonly #access: AccessParts & { readonly appPasswords: AppPasswordBook | undefined }
  readonly #watchers: Watchers
  readonly #running: Running
  readonly #sockets: WebSockets

  constructor(
    room: JmapRoom,
    parts: {
      readonly access: AccessParts & { readonly appPasswords: AppPasswordBook | undefined }
      readonly watchers: Watchers
      readonly sockets: WebSockets
      readonly running: Running
    },
  ) {
    this.#room = room
    this.#access = parts.access
    this.#watchers = parts.watchers
    this.#running = parts.running
    this.#sockets = parts.sockets
  }

  handle(incoming: IncomingMessage, response: ServerResponse): boolean {
    const url = URL.parse(incoming.url ?? '/', 'https://localhost')
    const path = url?.pathname ?? '/'
    if (url === null || !/^\/(jmap|auth)\/|^\/\.well-known\/jmap$/.test(path)) return false
    response.on('error', () => undefined) // the client went away
    this.#serve(incoming, response, url).catch((thrown: unknown) => {
      this.#fail(response, thrown)
    })
    return true
  }

  /** Never rejects, likewise. */
  upgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
    // A refusal is an answer of HTTP, on the socket that was to become something else.
    const response = new Answer(incoming)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once('finish', () => socket.destroySoon())
    socket.on('error', () => undefined) // the client went away
    this.#open(incoming, { response, socket, head }).catch((thrown: unknown) => {
      this.#fail(response, thrown)
    })
  }

  async #open(
    incoming: IncomingMessage,
    { response, socket, head }: { response: ServerResponse; socket: Socket; head: Buffer },
  ): Promise<void> {
    const url = URL.parse(incoming.url ?? '/', 'https://localhost')
    if (url?.pathname !== SOCKET_PATH) return refuse(response, 404, 'There is nothing here')
    // Any page of the world may open a WebSocket here, and its browser adds what it knows of us.
    const { origin } = incoming.headers
    if (origin !== undefined && URL.parse(origin)?.host !== incoming.headers.host)
      return refuse(response, 403, 'Pages of other servers are not served')
    const access = await accessOf(incoming, this.#access)
    if (!access.ok) return sendProblem(response, access.error.problem, access.error.headers)
    const { account, session } = access.value
    if (session !== undefined && origin === undefined)
      return refuse(response, 403, 'A web session comes with the Origin of its page')
    if (socket.destroyed) return
    response.detachSocket(socket)
    this.#sockets.open(incoming, {
      socket,
      head,
      login: account,
      origin: this.#origin(incoming),
      isLoggedIn: async () => session === undefined || (await accessOf(incoming, this.#access)).ok,
    })
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = url.pathname
    response.setHeader('cache-control', 'no-store')
    const method = incoming.method === 'HEAD' ? 'GET' : (incoming.method ?? '')
    if (path === '/auth/login' && method === 'POST') return login(incoming, response, this.#access)
    if (path === '/auth/logout' && method === 'POST')
      return logout(incoming, response, this.#access)
    const found = this.#route(path, method)
    if (found === undefined) return refuse(response, 404, 'There is nothing here')
    if (found.method !== method) {
      response.setHeader('allow', found.method)
      return refuse(response, 405, `Only ${found.method}`)
    }
    const access = await accessOf(incoming, this.#access)
    if (!access.ok) {
      return sendProblem(response, access.error.problem, access.error.headers)
    }
    const { steps, run } = found
    await run({ incoming, response, url, steps, access: access.value })
  }

  #route(
    path: string,
    method: string,
  ):
    | { readonly method: string; readonly steps: readonly string[]; readonly run: Route }
    | undefined {
    const steps = path.split('/').slice(2).map(decoded)
    if (steps.includes(undefined)) return undefined
    const found = (method: string, run: Route) => ({ method, steps: steps as string[], run })
    if (path === '/.well-known/jmap' || path === '/jmap/session') return found('GET', this.#session)
    if (path === '/auth/session') return found('GET', this.#webSession)
    if (path === '/auth/app-passwords')
      return found(method === 'POST' ? 'POST' : 'GET', this.#appPasswords)
    if (path === '/auth/choices') return found(method === 'POST' ? 'POST' : 'GET', this.#choices)
    if (/^\/auth\/app-passwords\/[^/]+$/.test(path)) return found('DELETE', this.#appPasswords)
    if (path === '/jmap/api') return found('POST', this.#api)
    if (path === '/jmap/eventsource') return found('GET', this.#events)
    if (path === SOCKET_PATH) return found('GET', this.#socket)
    if (/^\/jmap\/upload\/[^/]+\/?$/.test(path)) return found('POST', this.#upload)
    if (/^\/jmap\/download\/[^/]+\/[^/]+\/[^/]*$/.test(path)) return found('GET', this.#download)
    return undefined
  }

  readonly #session: Route = async ({ incoming, response, access: { account } }) => {
    const origin = this.#origin(incoming)
    sendJson(response, await sessionOf({ login: account, room: this.#room }, origin))
  }

  /** The token again, for a page that was loaded anew. */
  readonly #webSession: Route = ({ response, access: { session, account } }) => {
    if (session === undefined) sendProblem(response, { status: 404, title: 'No web session' })
    else sendJson(response, { accountId: account.id, csrfToken: session.csrfToken })
    return Promise.resolve()
  }

  readonly #appPasswords: Route = ({ incoming, response, steps, access }) => {
    const { authenticator, appPasswords: book } = this.#access
    return appPasswords({ incoming, response, access, book, authenticator }, steps[1])
  }

  readonly #choices: Route = ({ incoming, response, access }) =>
    ownChoices({ incoming, response, access, book: this.#room.choices })

  readonly #api: Route = async ({ incoming, response, access: { account } }) => {
    const { limits } = this.#room
    if (!/^application\/json\s*(;|$)/i.test(incoming.headers['content-type'] ?? ''))
      throw new RequestError('notJSON', 'Send application/json') // RFC 8620 §3.6.1
    await this.#counted({ account, response }, 'maxConcurrentRequests', async () => {
      const limit = { name: 'maxSizeRequest', bytesMax: limits.maxSizeRequest }
      const body = parseJson(await readBody(incoming, limit))
      const call = this.#call(incoming, response, { account })
      sendJson(response, await answerRequest(call, body, this.#origin(incoming)))
    })
  }

  readonly #upload: Route = async ({ incoming, response, steps, access }) => {
    const call = await this.#callTo(steps[1], { incoming, response, access })
    if (call === undefined) return refuse(response, 404, 'No such account')
    const { account } = access
    const run = (): Promise<void> => upload(call, incoming, response)
    await this.#counted({ account, response }, 'maxConcurrentUpload', run)
  }

  readonly #download: Route = async ({ incoming, response, url, steps, access }) => {
    const [, accountId, blobId = '', name = ''] = steps
    const call = await this.#callTo(accountId, { incoming, response, access })
    if (call === undefined) return refuse(response, 404, 'No such account')
    const type = url.searchParams.get('accept') ?? undefined
    const { account } = access
    const run = (): Promise<void> => download(call, response, { blobId, name, type })
    await this.#counted({ account, response }, 'downloadsPerAccountMax', run)
  }

  readonly #events: Route = ({ response, url, access, incoming }) => {
    const call = this.#call(incoming, response, access)
    const { searchParams: query } = url
    return eventSource(call, { incoming, response, query, watchers: this.#watchers })
  }

  /** RFC 9110 §15.5.22: who asks without an upgrade. */
  readonly #socket: Route = ({ response }) => {
    const headers = { upgrade: 'websocket', connection: 'upgrade' }
    sendProblem(response, { status: 426, title: 'This is for WebSocket (RFC 8887)' }, headers)
    return Promise.resolve()
  }

  /** On the account of that id; undefined where who asks has no share in it. */
  async #callTo(
    accountId: string | undefined,
    { incoming, response, access }: Pick<Parameters<Route>[0], 'incoming' | 'response' | 'access'>,
  ): Promise<Call | undefined> {
    const call = this.#call(incoming, response, access)
    const found = await accountOf(call, accountId ?? '')
    return found && { ...call, account: found.account }
  }

  #call(
    incoming: IncomingMessage,
    response: ServerResponse,
    { account }: Pick<Access, 'account'>,
  ): Call {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    return {
      room: this.#room,
      login: account,
      account,
      ip: peerAddress(incoming.socket).ip,
      createdIds: new Map(),
      following: [],
      signal: gone.signal,
      using: [],
    }
  }

  /** An answer counts until it is taken: those of an account that nobody reads cannot pile up. */
  #counted(
    { account, response }: { readonly account: Account; readonly response: ServerResponse },
    limit: CountedLimit,
    run: () => Promise<void>,
  ): Promise<void> {
    return this.#running.run(account.id, limit, async () => {
      await run()
      if (!response.closed) await once(response, 'close')
    })
  }

  /** Scheme and host as the client named them; never anything that is no host. */
  #origin(incoming: IncomingMessage): string {
    const host = incoming.headers.host ?? ''
    return `https://${/^[A-Za-z0-9.-]{1,255}(:\d{1,5})?$|^\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?$/.test(host) ? host : this.#room.hostname}`
  }

  #fail(response: ServerResponse, thrown: unknown): void {
    if (thrown instanceof RequestError) return sendProblem(response, thrown.problem)
    if (isFault(thrown, 'closed') && response.destroyed) return
    this.#room.log.warn('jmap.failed', { cause: messageOf(thrown) })
    if (isFault(thrown, 'notFound')) sendProblem(response, { status: 404, title: 'It is gone' })
    else if (isFault(thrown, 'corrupt'))
      sendProblem(response, { status: 500, title: 'The message is damaged and cannot be read' })
    else if (isFault(thrown))
      sendProblem(
        response,
        { status: 503, title: 'The mail store does not answer now' },
        { 'retry-after': '5' },
      )
    else sendProblem(response, { status: 500, title: 'Internal error' })
  }
}

const refuse = (response: ServerResponse, status: number, title: string): void =>
  sendProblem(response, { status, title })

function decoded(step: string): string | undefined {
  try {
    return decodeURIComponent(step)
  } catch {
    return undefined
  }
}

function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  const octets = fromUtf8(JSON.stringify(value))
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': octets.length,
  })
  endInPieces(response, octets)
}
