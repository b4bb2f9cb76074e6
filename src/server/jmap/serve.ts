import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fromUtf8 } from '#base/octets.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import { endInPieces } from '#net/end-in-pieces.ts'
import { peerAddress } from '#net/peer.ts'
import type { SieveLists } from '#engine/sieve/message.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { EventSink } from '#model/event.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'
import type { BrowserSessions } from '#store/directory/browser-sessions.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { TextSearch } from '#store/search/text-search.ts'
import { accessOf } from '#server/jmap/http/access.ts'
import { appPasswords } from '#server/jmap/http/app-passwords.ts'
import type { AppPasswordBook } from '#server/jmap/http/app-passwords.ts'
import { ownChoices } from '#server/jmap/http/choices.ts'
import type { Access, AccessParts } from '#server/jmap/http/access.ts'
import { runRequest } from './api.ts'
import { parseJson, readBody } from '#server/jmap/http/body.ts'
import { download } from '#server/jmap/http/download.ts'
import { EmailViews } from '#server/jmap/email/email-views.ts'
import { KnownMetas } from '#server/jmap/email/known-metas.ts'
import { EventStreams } from '#server/jmap/http/event-source.ts'
import { JMAP_LIMITS } from './limits.ts'
import type { JmapLimits } from './limits.ts'
import { login, logout } from '#server/jmap/http/login.ts'
import { RequestError, sendProblem } from '#server/jmap/http/problem.ts'
import type { Call, ChoicesBook, JmapRoom } from './room.ts'
import { accountOf, sharedAccounts } from './account-of.ts'
import { Shares } from './shares.ts'
import { sessionResource } from './session-resource.ts'
import type { Session } from './session-resource.ts'
import { upload } from '#server/jmap/http/upload.ts'

export interface JmapParts {
  readonly store: MailboxStore
  /** Absent: texts are read. */
  readonly search?: TextSearch
  readonly changes: (listener: (change: StoreChanged) => void) => () => void
  readonly authenticator: Authenticator
  readonly directory: JmapRoom['directory']
  /** The lists that somebody's scripts may ask, for trials. */
  readonly lists?: (accountId: AccountId) => SieveLists
  /** What an account may hold; absent: nothing is limited. */
  readonly quotaOf?: JmapRoom['quotaOf']
  /** Told when what accounts may hold may have changed. */
  readonly onLimits?: (listener: (accounts: readonly AccountId[] | 'all') => void) => void
  /** Of web pages; loaded already. */
  readonly sessions: BrowserSessions
  /** Absent: none can be made here. */
  readonly appPasswords?: AppPasswordBook
  /** Absent: none are kept here. */
  readonly choices?: ChoicesBook
  /** Absent: none are changed here. */
  readonly scripts?: JmapRoom['scripts']
  readonly hostname: string
  readonly limits?: Partial<JmapLimits>
  /** The setting of now. */
  readonly messageBytesMax?: () => number
  readonly newDeliveryId: () => string
  readonly events: EventSink
  readonly submitted: () => void
  readonly clock: Clock
  readonly log: Log
}

export interface Jmap {
  /** Answers the request; false where the path is none of JMAP's. Never rejects. */
  handle(incoming: IncomingMessage, response: ServerResponse): boolean
  close(): void
}

/** JMAP (RFC 8620, RFC 8621) over any HTTP server; all of it is TLS's to protect. */
export function serveJmap(parts: JmapParts): Jmap {
  const limits = (): JmapLimits => {
    const bytesMax = parts.messageBytesMax?.()
    return {
      ...JMAP_LIMITS,
      ...(bytesMax === undefined ? {} : { maxSizeUpload: bytesMax }),
      ...parts.limits,
    }
  }
  const { clock } = parts
  const room: JmapRoom = {
    store: parts.store,
    ...(parts.search !== undefined && { search: parts.search }),
    views: new EmailViews(parts.store, clock),
    metas: new KnownMetas(),
    shares: new Shares(parts.store),
    directory: parts.directory,
    ...(parts.lists !== undefined && { lists: parts.lists }),
    ...(parts.quotaOf !== undefined && { quotaOf: parts.quotaOf }),
    get limits() {
      return limits()
    },
    hostname: parts.hostname,
    newDeliveryId: parts.newDeliveryId,
    events: parts.events,
    submitted: parts.submitted,
    ...(parts.choices !== undefined && { choices: parts.choices }),
    ...(parts.scripts !== undefined && { scripts: parts.scripts }),
    clock,
    log: parts.log,
  }
  const access: AccessParts = {
    authenticator: parts.authenticator,
    directory: parts.directory,
    sessions: parts.sessions,
  }
  const streams = new EventStreams(room)
  const unsubscribe = parts.changes((change) => {
    // First what is known is forgotten, then it is asked anew.
    room.shares.forget(change)
    streams.changed(change)
  })
  const deafen = parts.authenticator.onChange?.((accounts) => streams.endFallen(accounts))
  parts.onLimits?.((accounts) => streams.limitsChanged(accounts))
  const door = new Door(room, { ...access, appPasswords: parts.appPasswords }, streams)
  return {
    handle: (incoming, response) => door.handle(incoming, response),
    close: () => {
      unsubscribe()
      deafen?.()
      streams.close()
    },
  }
}

type Route = (ask: {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly steps: readonly string[]
  readonly access: Access
}) => Promise<void>

/** Routes, access and limits of requests. */
class Door {
  readonly #room: JmapRoom
  readonly #access: AccessParts & { readonly appPasswords: AppPasswordBook | undefined }
  readonly #streams: EventStreams
  readonly #running = new Map<string, number>()

  constructor(
    room: JmapRoom,
    access: AccessParts & { readonly appPasswords: AppPasswordBook | undefined },
    streams: EventStreams,
  ) {
    this.#room = room
    this.#access = access
    this.#streams = streams
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
    if (/^\/jmap\/upload\/[^/]+\/?$/.test(path)) return found('POST', this.#upload)
    if (/^\/jmap\/download\/[^/]+\/[^/]+\/[^/]*$/.test(path)) return found('GET', this.#download)
    return undefined
  }

  readonly #session: Route = async ({ incoming, response, access: { account } }) => {
    sendJson(response, await this.#sessionOf(account, incoming))
  }

  async #sessionOf(login: Account, incoming: IncomingMessage): Promise<Session> {
    const room = this.#room
    const shared = await sharedAccounts({ login, room })
    const { limits } = room
    return sessionResource(login, { origin: this.#origin(incoming), limits, shared })
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
    const ask = { accountId: account.id, limit: 'maxConcurrentRequests', response } as const
    await this.#counted(ask, async () => {
      const limit = { name: 'maxSizeRequest', bytesMax: limits.maxSizeRequest }
      const body = parseJson(await readBody(incoming, limit))
      const answer = await runRequest(this.#call(incoming, response, { account }), body)
      const { state } = await this.#sessionOf(account, incoming).catch((thrown: unknown) => {
        // The calls were answered: that nobody tells what is shared now is asked for by the Session itself.
        if (!isFault(thrown)) throw thrown
        const origin = this.#origin(incoming)
        return sessionResource(account, { origin, limits, shared: [] })
      })
      sendJson(response, { ...answer, sessionState: state })
    })
  }

  readonly #upload: Route = async ({ incoming, response, steps, access }) => {
    const call = await this.#callTo(steps[1], { incoming, response, access })
    if (call === undefined) return refuse(response, 404, 'No such account')
    const ask = { accountId: access.account.id, limit: 'maxConcurrentUpload', response } as const
    await this.#counted(ask, () => upload(call, incoming, response))
  }

  readonly #download: Route = async ({ incoming, response, url, steps, access }) => {
    const [, accountId, blobId = '', name = ''] = steps
    const call = await this.#callTo(accountId, { incoming, response, access })
    if (call === undefined) return refuse(response, 404, 'No such account')
    const type = url.searchParams.get('accept') ?? undefined
    const ask = {
      accountId: access.account.id,
      limit: 'downloadsPerAccountMax',
      response,
    } as const
    await this.#counted(ask, () => download(call, response, { blobId, name, type }))
  }

  readonly #events: Route = ({ response, url, access, incoming }) => {
    return this.#streams.open(this.#call(incoming, response, access), response, url.searchParams)
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
  async #counted(
    ask: {
      readonly accountId: string
      readonly limit: 'maxConcurrentRequests' | 'maxConcurrentUpload' | 'downloadsPerAccountMax'
      readonly response: ServerResponse
    },
    run: () => Promise<void>,
  ): Promise<void> {
    const { accountId, limit, response } = ask
    const key = `${limit} ${accountId}`
    const count = this.#running.get(key) ?? 0
    if (count >= this.#room.limits[limit])
      throw new RequestError('limit', `At most ${this.#room.limits[limit]} at once`, limit, 429)
    this.#running.set(key, count + 1)
    try {
      await run()
      if (!response.closed) await once(response, 'close')
    } finally {
      const left = this.#running.get(key)! - 1
      if (left === 0) this.#running.delete(key)
      else this.#running.set(key, left)
    }
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
