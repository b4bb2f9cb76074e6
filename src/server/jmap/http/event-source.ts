import type { ServerResponse } from 'node:http'
import { HOUR_MS, SECOND_MS } from '#base/time.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import { accountState } from '#server/jmap/email/emails.ts'
import { sendProblem } from './problem.ts'
import type { Call, JmapRoom } from '#server/jmap/room.ts'
import { objectState } from '#server/jmap/method/objects.ts'
import { loadQuota, quotaState } from '#server/jmap/mailbox/quota.ts'
import { emailState, mailboxState } from '#server/jmap/method/states.ts'

const TYPES = [
  'Mailbox',
  'Email',
  'Thread',
  'EmailDelivery',
  'EmailSubmission',
  'Identity',
  'Quota',
] as const
type TypeName = (typeof TYPES)[number]

/** A burst of changes is one event. */
const GATHER_MS = 100
/** However busy: its client opens another one, and logs in again for it. */
const LIFETIME_MS = 12 * HOUR_MS
const PING_SECONDS_MIN = 5
const PING_SECONDS_MAX = 900
/** Octets that wait for a client which does not read: it is cut off. */
const WAITING_BYTES_MAX = 256 * 1024

interface Stream {
  readonly call: Call
  readonly response: ServerResponse
  readonly types: ReadonlySet<TypeName>
  readonly closesAfterState: boolean
  /** What it was told last, or what was so when it was opened. */
  told: States
  isWaiting: boolean
}

type States = Readonly<Partial<Record<TypeName, string>>>

async function statesOf(call: Call, types: ReadonlySet<TypeName>): Promise<States> {
  const { store } = call.room
  const [state, { states }, quota] = await Promise.all([
    accountState(call),
    store.objectStates({ accountId: call.account.id }),
    loadQuota(call),
  ])
  const all: Record<TypeName, string> = {
    Mailbox: mailboxState(state),
    Email: emailState(state),
    Thread: emailState(state),
    EmailDelivery: state.nextEmail.toString(36),
    EmailSubmission: objectState(states.EmailSubmission),
    Identity: objectState(states.Identity),
    Quota: quotaState(quota),
  }
  return Object.fromEntries(
    TYPES.filter((type) => types.has(type)).map((type) => [type, all[type]]),
  )
}

/** Event streams of clients, told of changes (RFC 8620 §7.3). */
export class EventStreams {
  readonly #room: JmapRoom
  readonly #byAccount = new Map<string, Set<Stream>>()
  readonly #unsubscribe: () => void
  #count = 0

  constructor(room: JmapRoom, changes: (listener: (change: StoreChanged) => void) => () => void) {
    this.#room = room
    this.#unsubscribe = changes(({ accountId }) => {
      for (const stream of this.#byAccount.get(accountId) ?? []) this.#wake(stream)
    })
  }

  async open(call: Call, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const { limits, clock } = this.#room
    const types = typesOf(query.get('types') ?? '*')
    if (types === undefined)
      return sendProblem(response, { status: 400, title: 'types is * or a list of names' })
    const closesAfterState = query.get('closeafter') === 'state'
    const told = await statesOf(call, types)
    if (response.destroyed) return
    const own = this.#byAccount.get(call.account.id) ?? new Set()
    if (own.size >= limits.eventStreamsPerAccountMax || this.#count >= limits.eventStreamsMax)
      return sendProblem(response, { status: 429, title: 'Too many event streams' })
    const stream: Stream = { call, response, types, closesAfterState, told, isWaiting: false }
    own.add(stream)
    this.#byAccount.set(call.account.id, own)
    this.#count++
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    response.flushHeaders()
    response.write(': 渡り\n\n')
    let cancel = (): void => undefined
    const seconds = pingSeconds(query.get('ping'))
    const ping = (): void => {
      cancel = clock.after(seconds * SECOND_MS, () => {
        if (!this.#mayGoOn(stream)) return void response.end()
        this.#send(stream, 'ping', { interval: seconds })
        ping()
      })
    }
    if (seconds > 0) ping()
    const cancelEnd = clock.after(LIFETIME_MS, () => response.end())
    response.once('close', () => {
      cancel()
      cancelEnd()
      this.#count--
      own.delete(stream)
      if (own.size === 0) this.#byAccount.delete(call.account.id)
    })
    this.#wake(stream) // something may have changed before it was among the others
  }

  close(): void {
    this.#unsubscribe()
    for (const streams of this.#byAccount.values())
      for (const { response } of streams) response.end()
  }

  #wake(stream: Stream): void {
    if (stream.isWaiting) return
    stream.isWaiting = true
    this.#room.clock.after(GATHER_MS, () => {
      stream.isWaiting = false
      this.#tell(stream).catch(() => undefined) // storage is away: the next change tells
    })
  }

  /** A stream is as good as the login that opened it: not for an account that has another password now. */
  #mayGoOn({ call: { account } }: Stream): boolean {
    const now = this.#room.directory.account(account.id)
    return now?.disabled === false && now.credentialVersion === account.credentialVersion
  }

  async #tell(stream: Stream): Promise<void> {
    const { call, types } = stream
    if (!this.#mayGoOn(stream)) return void stream.response.end()
    const now = await statesOf(call, types)
    // RFC 8620 §7.1: what has changed since it was told last.
    const changed = Object.entries(now).filter(
      ([type, state]) => stream.told[type as TypeName] !== state,
    )
    if (changed.length === 0) return
    stream.told = now
    this.#send(stream, 'state', {
      '@type': 'StateChange',
      changed: { [call.account.id]: Object.fromEntries(changed) },
    })
    if (stream.closesAfterState) stream.response.end()
  }

  #send({ response }: Stream, event: string, data: unknown): void {
    if (response.writableLength > WAITING_BYTES_MAX) return void response.destroy()
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
}

/** Names that we do not know never change. */
function typesOf(text: string): ReadonlySet<TypeName> | undefined {
  if (text === '*') return new Set(TYPES)
  if (!/^[A-Za-z,]{1,500}$/.test(text)) return undefined
  const names = text.split(',')
  return new Set(TYPES.filter((type) => names.includes(type)))
}

/** 0: none (RFC 8620 §7.3); others within our limits. */
function pingSeconds(text: string | null): number {
  const seconds = /^\d{1,6}$/.test(text ?? '') ? Number(text) : 0
  return seconds === 0 ? 0 : Math.min(PING_SECONDS_MAX, Math.max(PING_SECONDS_MIN, seconds))
}
