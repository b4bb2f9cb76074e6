import type { WebSocket } from 'ws'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { HOUR_MS, SECOND_MS } from '#base/time.ts'
import { mayStay } from '#store/directory/entrant.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import { answerRequest } from '#server/jmap/answer.ts'
import { REQUEST_ID_LENGTH_MAX } from '#server/jmap/limits.ts'
import { isObject } from '#server/jmap/method/args.ts'
import { typesOf } from '#server/jmap/push/states.ts'
import type { StateChange, Watch, Watchers } from '#server/jmap/push/watchers.ts'
import type { Call, JmapRoom } from '#server/jmap/room.ts'
import type { Running } from '#server/jmap/running.ts'
import { parseJson } from './body.ts'
import { RequestError } from './problem.ts'

/** How a connection is ended, by codes of the WebSocket protocol's register. */
export const AWAY = 1001
const NOT_TEXT = 1003
export const REFUSED = 1008

/** However busy: its client connects anew, and logs in again for it. */
const LIFETIME_MS = 12 * HOUR_MS
/** Who neither answers a ping nor takes anything in that time is gone. */
const BEAT_MS = 30 * SECOND_MS
/** Of one large write nobody sees whether it is taken slowly or not at all. */
const PIECE_BYTES = 64 * 1024

export interface ConversationParts {
  readonly webSocket: WebSocket
  readonly ip: string
  readonly login: Entrant
  /** What the Session's URLs begin with. */
  readonly origin: string
  /** Whether the web session that let it in lasts still. */
  readonly isLoggedIn: () => Promise<boolean>
  readonly watchers: Watchers
  readonly running: Running
}

/** One connection: its requests, several at once, and what it is told by itself. */
export class Conversation {
  readonly #room: JmapRoom
  readonly #parts: ConversationParts
  readonly #gone = new AbortController()
  /** Messages that have come and wait for a place. */
  readonly #waiting: Buffer[] = []
  #runningCount = 0
  /** Everything that is sent goes one behind another: an answer in pieces is not to be torn. */
  #sending: Promise<void> = Promise.resolve()
  /** Changes that wait to be sent, as one. */
  #news: StateChange | undefined
  /** RFC 8887 §4.3.5: what it wants to hear; later wishes replace earlier ones. */
  #watch: Watch | undefined
  #wishes = 0
  /** Whether it has answered the last ping; it cannot be heard while its messages wait. */
  #isAlive = true
  /** Pieces that it took, and whether one waits to be taken. */
  #taken = 0
  #isSending = false
  readonly #cancels: (() => void)[] = []

  constructor(room: JmapRoom, parts: ConversationParts) {
    this.#room = room
    this.#parts = parts
    const { webSocket } = parts
    webSocket.on('message', (data, isBinary) => {
      if (isBinary) return webSocket.close(NOT_TEXT, 'JMAP is text')
      this.#waiting.push(data as Buffer)
      this.#pump()
    })
    webSocket.on('pong', () => (this.#isAlive = true))
    webSocket.once('close', () => {
      this.#gone.abort()
      this.#wishes++
      this.#watch?.stop()
      for (const cancel of this.#cancels) cancel()
    })
    this.#cancels[0] = room.clock.after(LIFETIME_MS, () => this.end(AWAY, 'Connect anew'))
    this.#beat()
  }

  endFallen(): void {
    if (!mayStay(this.#parts.login, this.#room.directory)) this.end(REFUSED, 'Log in again')
  }

  /** Says so, and waits a little for the other side's farewell. */
  end(code: number, reason: string): void {
    const { webSocket } = this.#parts
    if (webSocket.readyState !== webSocket.OPEN) return
    webSocket.close(code, reason)
    const cancel = this.#room.clock.after(SECOND_MS, () => webSocket.terminate())
    webSocket.once('close', cancel)
  }

  #beat(): void {
    const { webSocket } = this.#parts
    const taken = this.#taken
    this.#cancels[1] = this.#room.clock.after(BEAT_MS, () => {
      const isSilent = this.#isSending || (!webSocket.isPaused && !this.#isAlive)
      if (isSilent && this.#taken === taken) return webSocket.terminate()
      this.endFallen()
      this.#isAlive = false
      webSocket.ping()
      this.#beat()
    })
  }

  /** As many at once as an account may have; what else comes waits in the network. */
  #pump(): void {
    const { webSocket } = this.#parts
    const max = this.#room.limits.maxConcurrentRequests
    while (this.#runningCount < max && this.#waiting.length > 0) {
      this.#runningCount++
      void this.#take(this.#waiting.shift()!).finally(() => {
        this.#runningCount--
        this.#pump()
      })
    }
    if (this.#runningCount >= max) webSocket.pause()
    else if (webSocket.isPaused) webSocket.resume()
  }

  /** Never rejects. */
  async #take(data: Octets): Promise<void> {
    let requestId: string | undefined
    try {
      const body = parseJson(data)
      if (!isObject(body)) throw new RequestError('notRequest', 'The message is no object')
      const { '@type': type, id, ...request } = body
      if (id !== undefined && (typeof id !== 'string' || id.length > REQUEST_ID_LENGTH_MAX))
        throw new RequestError('notRequest', 'id is no short string')
      requestId = id
      if (!(await this.#parts.isLoggedIn())) return this.end(REFUSED, 'Log in again')
      if (type === 'Request') await this.#answer(request, requestId)
      else if (type === 'WebSocketPushEnable') await this.#listen(request)
      else if (type === 'WebSocketPushDisable') this.#listenNoMore()
      else throw new RequestError('notRequest', 'There is no such @type')
    } catch (thrown) {
      await this.#send({
        '@type': 'RequestError',
        requestId: requestId ?? null,
        ...this.#problem(thrown),
      })
    }
  }

  /** It counts until it is taken: answers that nobody reads cannot pile up. */
  #answer(request: Readonly<Record<string, unknown>>, requestId?: string): Promise<void> {
    const { running, login, origin } = this.#parts
    return running.run(login.id, 'maxConcurrentRequests', async () => {
      const answer = await answerRequest(this.#call(), request, origin)
      await this.#send({
        '@type': 'Response',
        ...(requestId !== undefined && { requestId }),
        ...answer,
      })
    })
  }

  async #listen({ dataTypes, pushState }: Readonly<Record<string, unknown>>): Promise<void> {
    const isList = Array.isArray(dataTypes) && dataTypes.every((name) => typeof name === 'string')
    if (dataTypes !== undefined && dataTypes !== null && !isList)
      throw new RequestError('notRequest', 'dataTypes is null or a list of names')
    const wish = ++this.#wishes
    const names = isList ? (dataTypes as readonly string[]) : 'all'
    const watch = await this.#parts.watchers.watch(
      this.#call(),
      {
        isGone: this.#gone.signal.aborted,
        tell: (change) => this.#tell(change),
        end: (why) =>
          why === 'fallen' ? this.end(REFUSED, 'Log in again') : this.end(AWAY, 'The server ends'),
      },
      { types: typesOf(names), ...(typeof pushState === 'string' && { pushState }) },
    )
    if (watch === undefined) throw new RequestError('limit', 'Too many hear of changes already')
    if (wish !== this.#wishes) return watch.stop()
    this.#watch?.stop()
    this.#watch = watch
  }

  #listenNoMore(): void {
    this.#wishes++
    this.#watch?.stop()
    this.#watch = undefined
    this.#news = undefined
  }

  /** What waits behind a long answer becomes one: the last states are those that count. */
  #tell(change: StateChange): void {
    const before = this.#news
    this.#news = before === undefined ? change : merged(before, change)
    if (before === undefined) void this.#send(() => this.#takeNews())
  }

  #takeNews(): StateChange | undefined {
    const news = this.#news
    this.#news = undefined
    return news
  }

  /** Resolves once it is taken, or nobody is there to take it. */
  #send(message: unknown): Promise<void> {
    this.#sending = this.#sending.then(() => {
      const value = typeof message === 'function' ? (message as () => unknown)() : message
      return value === undefined ? undefined : this.#sendPieces(fromUtf8(JSON.stringify(value)))
    })
    return this.#sending
  }

  async #sendPieces(octets: Octets): Promise<void> {
    const { webSocket } = this.#parts
    for (let at = 0; at < octets.length && webSocket.readyState === webSocket.OPEN;) {
      const piece = octets.subarray(at, at + PIECE_BYTES)
      at += piece.length
      const fin = at >= octets.length
      this.#isSending = true
      await new Promise<void>((resolve) => {
        webSocket.send(piece, { binary: false, fin }, () => resolve())
      })
      this.#isSending = false
      this.#taken++
    }
  }

  #call(): Call {
    const { login, ip } = this.#parts
    return {
      room: this.#room,
      login,
      account: login,
      ip,
      createdIds: new Map(),
      following: [],
      signal: this.#gone.signal,
      using: [],
    }
  }

  /** RFC 8887 §4.3.4: as RFC 8620 §3.6.1 has it. */
  #problem(thrown: unknown): Readonly<Record<string, unknown>> {
    if (thrown instanceof RequestError) return { ...thrown.problem }
    this.#room.log.warn('jmap.failed', { cause: messageOf(thrown) })
    return isFault(thrown)
      ? { type: 'about:blank', status: 503, title: 'The mail store does not answer now' }
      : { type: 'about:blank', status: 500, title: 'Internal error' }
  }
}

const merged = (before: StateChange, now: StateChange): StateChange => ({
  ...now,
  changed: Object.fromEntries(
    [...Object.keys(before.changed), ...Object.keys(now.changed)].map((id) => [
      id,
      { ...before.changed[id], ...now.changed[id] },
    ]),
  ),
})
