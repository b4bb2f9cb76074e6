import type { ServerResponse } from 'node:http'
import { HOUR_MS, SECOND_MS } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { mayStay } from '#store/directory/entrant.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { AccountState } from '#store/mailbox/stored-email.ts'
import { sharedAccounts } from '#server/jmap/account-of.ts'
import { accountState } from '#server/jmap/email/emails.ts'
import { sendProblem } from './problem.ts'
import { isShared } from '#server/jmap/room.ts'
import type { Call, JmapRoom } from '#server/jmap/room.ts'
import { loginsOf } from '#server/jmap/shares.ts'
import { objectState } from '#server/jmap/method/objects.ts'
import { loadQuota, quotaState } from '#server/jmap/mailbox/quota.ts'
import { emailState, mailboxState } from '#server/jmap/method/states.ts'
import { loadScripts } from '#server/jmap/sieve/scripts.ts'

const TYPES = [
  'Mailbox',
  'Email',
  'Thread',
  'EmailDelivery',
  'EmailSubmission',
  'Identity',
  'Quota',
  'SieveScript',
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
  /** On the login's own account. */
  readonly call: Call
  readonly response: ServerResponse
  readonly types: ReadonlySet<TypeName>
  readonly closesAfterState: boolean
  /** By account, its own first: what it was told last, or what was so when it was opened. */
  readonly told: Map<AccountId, States>
  /** Accounts in which something has changed since. */
  readonly stale: Set<AccountId>
  isWaiting: boolean
}

type States = Readonly<Partial<Record<TypeName, string>>>

async function statesOf(call: Call, types: ReadonlySet<TypeName>): Promise<States> {
  const { store } = call.room
  if (isShared(call)) return only(types, mailStates(await accountState(call)))
  const [state, { states }, quota, scripts] = await Promise.all([
    accountState(call),
    store.objectStates({ accountId: call.account.id }),
    loadQuota(call),
    types.has('SieveScript') ? loadScripts(call) : undefined,
  ])
  return only(types, {
    ...mailStates(state),
    EmailSubmission: objectState(states.EmailSubmission),
    Identity: objectState(states.Identity),
    Quota: quotaState(quota),
    ...(scripts !== undefined && { SieveScript: scripts.state }),
  })
}

const mailStates = (state: AccountState): States => ({
  Mailbox: mailboxState(state),
  Email: emailState(state),
  Thread: emailState(state),
  EmailDelivery: state.nextEmail.toString(36),
})

const only = (types: ReadonlySet<TypeName>, all: States): States =>
  Object.fromEntries(
    TYPES.filter((type) => types.has(type) && all[type] !== undefined).map((type) => [
      type,
      all[type],
    ]),
  )

/** Event streams of clients, told of changes (RFC 8620 §7.3). */
export class EventStreams {
  readonly #room: JmapRoom
  readonly #byLogin = new Map<AccountId, Set<Stream>>()
  /** Who hears of an account: its own streams, and those of logins that have a share in it. */
  readonly #byAccount = new Map<AccountId, Set<Stream>>()
  #count = 0

  constructor(room: JmapRoom) {
    this.#room = room
  }

  changed(change: StoreChanged): void {
    const { accountId } = change
    for (const stream of this.#byAccount.get(accountId) ?? []) {
      stream.stale.add(accountId)
      this.#wake(stream)
    }
    const logins = loginsOf(change)
    // What everybody has a share in now wakes all: not ten times a second.
    if (logins === 'all')
      for (const streams of this.#byLogin.values())
        for (const stream of streams) this.#wake(stream, SECOND_MS)
    else
      for (const login of logins)
        for (const stream of this.#byLogin.get(login) ?? []) this.#wake(stream)
  }

  /** What accounts may hold is in no row of the store. */
  limitsChanged(accounts: readonly AccountId[] | 'all'): void {
    for (const id of accounts === 'all' ? this.#byLogin.keys() : accounts)
      for (const stream of this.#byLogin.get(id) ?? []) {
        stream.stale.add(id)
        this.#wake(stream, accounts === 'all' ? SECOND_MS : GATHER_MS)
      }
  }

  /** Ends those whose login is good no more. */
  endFallen(accounts: ReadonlySet<AccountId> | 'all'): void {
    for (const id of accounts === 'all' ? this.#byLogin.keys() : accounts)
      for (const stream of this.#byLogin.get(id) ?? [])
        if (!this.#mayGoOn(stream)) stream.response.end()
  }

  async open(call: Call, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const { limits, clock } = this.#room
    const types = typesOf(query.get('types') ?? '*')
    if (types === undefined)
      return sendProblem(response, { status: 400, title: 'types is * or a list of names' })
    const closesAfterState = query.get('closeafter') === 'state'
    const told = new Map<AccountId, States>()
    for (const account of await accountsOf(call))
      told.set(account.id, await statesOf({ ...call, account }, types))
    if (response.destroyed) return
    const { id } = call.login
    const own = this.#byLogin.get(id) ?? new Set()
    if (own.size >= limits.eventStreamsPerAccountMax || this.#count >= limits.eventStreamsMax)
      return sendProblem(response, { status: 429, title: 'Too many event streams' })
    const stream: Stream = {
      call,
      response,
      types,
      closesAfterState,
      told,
      stale: new Set(told.keys()),
      isWaiting: false,
    }
    own.add(stream)
    this.#byLogin.set(id, own)
    for (const accountId of told.keys()) this.#hear(stream, accountId)
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
      if (own.size === 0) this.#byLogin.delete(id)
      for (const accountId of told.keys()) this.#hearNoMore(stream, accountId)
    })
    this.#wake(stream) // something may have changed before it was among the others
  }

  close(): void {
    for (const streams of this.#byLogin.values()) for (const { response } of streams) response.end()
  }

  #hear(stream: Stream, accountId: AccountId): void {
    const streams = this.#byAccount.get(accountId) ?? new Set()
    this.#byAccount.set(accountId, streams.add(stream))
  }

  #hearNoMore(stream: Stream, accountId: AccountId): void {
    const streams = this.#byAccount.get(accountId)
    streams?.delete(stream)
    if (streams?.size === 0) this.#byAccount.delete(accountId)
  }

  #wake(stream: Stream, gatherMs = GATHER_MS): void {
    if (stream.isWaiting) return
    stream.isWaiting = true
    this.#room.clock.after(gatherMs, () => {
      stream.isWaiting = false
      this.#tell(stream).catch(() => undefined) // storage is away: the next change tells
    })
  }

  /** A stream is as good as the login that opened it. */
  #mayGoOn({ call: { login } }: Stream): boolean {
    return mayStay(login, this.#room.directory)
  }

  async #tell(stream: Stream): Promise<void> {
    if (!this.#mayGoOn(stream)) return void stream.response.end()
    const changed = await this.#changedFor(stream)
    if (stream.response.destroyed || Object.keys(changed).length === 0) return
    this.#send(stream, 'state', { '@type': 'StateChange', changed })
    if (stream.closesAfterState) stream.response.end()
  }

  /** RFC 8620 §7.1: what has changed since it was told last. */
  async #changedFor(stream: Stream): Promise<Record<string, Readonly<Record<string, string>>>> {
    const { call, types, told, stale } = stream
    const changed: Record<string, Readonly<Record<string, string>>> = {}
    const accounts = await accountsOf(call)
    for (const account of accounts) {
      const before = told.get(account.id)
      if (before !== undefined && !stale.delete(account.id)) continue
      const now = await statesOf({ ...call, account }, types)
      if (stream.response.destroyed) return {}
      if (before === undefined) this.#hear(stream, account.id)
      told.set(account.id, now)
      const news = Object.entries(now).filter(
        ([type, state]) => before?.[type as TypeName] !== state,
      )
      if (news.length > 0) changed[account.id] = Object.fromEntries(news)
    }
    const there = new Set(accounts.map(({ id }) => id))
    for (const id of [...told.keys()].filter((each) => !there.has(each))) {
      told.delete(id)
      this.#hearNoMore(stream, id)
      // Whoever asks what has become of it learns that there is no such account any more.
      if (types.has('Mailbox')) changed[id] = { Mailbox: 'gone' }
    }
    return changed
  }

  #send({ response }: Stream, event: string, data: unknown): void {
    if (response.writableLength > WAITING_BYTES_MAX) return void response.destroy()
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
}

const accountsOf = async (call: Call): Promise<readonly Account[]> => [
  call.login,
  ...(await sharedAccounts(call)).map(({ account }) => account),
]

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
