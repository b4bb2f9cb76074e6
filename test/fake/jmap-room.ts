import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { timedId } from '#base/id.ts'
import { FakeClock, systemClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { scriptsOf } from '#engine/deliver/scripts.ts'
import { toldScripts } from '#engine/deliver/told-scripts.ts'
import type { MailingList } from '#model/list.ts'
import { equalAddress } from '#model/address.ts'
import type { Account, AccountId } from '#model/account.ts'
import { NO_MOMENT } from '#model/account-life.ts'
import type { NewEvent } from '#model/event.ts'
import type { MailboxId } from '#model/mailbox.ts'
import { WEB_SESSIONS } from '#server/jmap/limits.ts'
import type { JmapLimits } from '#server/jmap/limits.ts'
import { BrowserSessions } from '#store/directory/browser-sessions.ts'
import type { SessionRules } from '#store/directory/browser-sessions.ts'
import type { ChoicesBook } from '#server/jmap/room.ts'
import { serveJmap } from '#server/jmap/serve.ts'
import type { TextSearch } from '#store/search/text-search.ts'
import { FakeAuthenticator, fakeAccount } from './authenticator.ts'
import type { Quota } from '#model/quota.ts'
import { fakeQuotas } from './quotas.ts'
import { FakeMailboxStore } from './mailbox-store.ts'

export const PASSWORD = '渡り 鳥&"1'
export const HANAKO = fakeAccount('hanako')

type Invocation = [name: string, args: Record<string, unknown>, callId: string]

export interface JmapRoomUnderTest {
  readonly store: FakeMailboxStore
  readonly authenticator: FakeAuthenticator
  /** As the directory knows them; a test may change them. */
  readonly accounts: Map<string, Account>
  readonly lists: MailingList[]
  readonly origin: string
  readonly port: number
  readonly events: readonly NewEvent[]
  /** Told of mail for the outbox, so many times. */
  submitted(): number
  /** Tells that what an account may hold has changed. */
  limitsChanged(accounts: readonly AccountId[] | 'all'): void
  fetch(path: string, init?: RequestInit & { readonly as?: string }): Promise<Response>
  /** One request of hanako's; its responses. */
  request(calls: readonly Invocation[], using?: readonly string[]): Promise<Invocation[]>
  /** One call of hanako's; its arguments, which must not be an error. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it
  call(name: string, args?: Record<string, unknown>): Promise<any>
  /** The type of the error that the call ends with. */
  error(name: string, args?: Record<string, unknown>): Promise<string>
  mailbox(...path: readonly string[]): Promise<MailboxId>
  /** Files a message; its email's id. */
  file(
    content: string | Octets,
    more?: {
      readonly path?: readonly string[]
      readonly flags?: number
      readonly keywords?: readonly string[]
      readonly atMs?: number
      readonly prefix?: Octets
    },
  ): Promise<string>
}

const USING = [
  'urn:ietf:params:jmap:core',
  'urn:ietf:params:jmap:mail',
  'urn:ietf:params:jmap:blob',
  'urn:ietf:params:jmap:submission',
  'urn:ietf:params:jmap:quota',
  'urn:ietf:params:jmap:sieve',
]

/** JMAP on a real HTTP server of its own, over a store in memory; gone when the test ends. */
export async function jmapRoom(
  t: TestContext,
  options: {
    readonly limits?: Partial<JmapLimits>
    readonly sessions?: Partial<SessionRules>
    readonly clock?: Clock
    /** Makes the search index of the room's store. */
    readonly search?: (store: FakeMailboxStore) => TextSearch
    /** What each account may hold. */
    readonly quota?: () => Quota
    /** What people want of their mail. */
    readonly choices?: ChoicesBook
  } = {},
): Promise<JmapRoomUnderTest> {
  const clock = options.clock ?? systemClock
  const store = new FakeMailboxStore(clock instanceof FakeClock ? clock : undefined)
  const authenticator = new FakeAuthenticator({ hanako: PASSWORD, taro: 'taro' })
  const lists: MailingList[] = []
  const accounts = new Map<string, Account>([HANAKO, fakeAccount('taro')].map((a) => [a.id, a]))
  authenticator.accounts = accounts
  let submitted = 0
  let limitsChanged: JmapRoomUnderTest['limitsChanged'] = () => undefined
  const events: NewEvent[] = []
  const { quota } = options
  const quotas = fakeQuotas(store, quota)
  const jmap = serveJmap({
    store: quota === undefined ? store : quotas.mailboxes,
    ...(quota !== undefined && { quotaOf: quotas.quotaOf }),
    ...(options.search === undefined ? {} : { search: options.search(store) }),
    ...(options.choices === undefined ? {} : { choices: options.choices }),
    scripts: toldScripts(scriptsOf(store), {
      events: { emit: (event) => events.push(event) },
      clock,
    }),
    onLimits: (listener) => (limitsChanged = listener),
    changes: store.allChanges,
    authenticator,
    directory: {
      account: (id) => accounts.get(id),
      domain: (name) => ({ name }),
      moment: NO_MOMENT,
      lists: () => lists.values(),
      listByAddress: (address) => {
        const list = lists.find((each) => equalAddress(each.address, address))
        return list && { list, purpose: 'post' }
      },
    },
    sessions: new BrowserSessions({ rules: { ...WEB_SESSIONS, ...options.sessions }, clock }),
    hostname: 'mail.campus.example',
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    newDeliveryId: () => timedId(clock.nowMs()),
    events: { emit: (event) => events.push(event) },
    submitted: () => submitted++,
    clock,
    log: silentLog,
  })
  const server = createServer((incoming, response) => {
    if (jmap.handle(incoming, response)) return
    response.writeHead(404)
    response.end()
  })
  server.on('upgrade', (incoming, socket, head) => jmap.upgrade(incoming, socket as Socket, head))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  t.after(async () => {
    jmap.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await store.close()
  })
  const basic = (user: string): string =>
    `Basic ${Buffer.from(`${user}:${user === 'hanako' ? PASSWORD : user}`).toString('base64')}`
  const send: JmapRoomUnderTest['fetch'] = (path, init = {}) => {
    const headers = new Headers(init.headers)
    if (init.as !== undefined) headers.set('authorization', basic(init.as))
    return fetch(origin + path, { ...init, headers })
  }
  const request: JmapRoomUnderTest['request'] = async (methodCalls, using = USING) => {
    const response = await send('/jmap/api', {
      method: 'POST',
      as: 'hanako',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ using, methodCalls }),
    })
    const answer = (await response.json()) as { methodResponses: Invocation[] }
    if (response.status !== 200) throw new Error(JSON.stringify(answer))
    return answer.methodResponses
  }
  const one = async (name: string, args: Record<string, unknown> = {}): Promise<Invocation> =>
    (await request([[name, { accountId: HANAKO.id, ...args }, 'c']]))[0]!
  const mailbox: JmapRoomUnderTest['mailbox'] = async (...path) => {
    const { mailboxes } = await store.mailboxes({ accountId: HANAKO.id })
    const found = mailboxes.find((row) => row.path.join('/') === path.join('/'))
    if (found === undefined) throw new Error(`no mailbox ${path.join('/')}`)
    return found.id
  }
  return {
    store,
    authenticator,
    accounts,
    lists,
    origin,
    port,
    events,
    submitted: () => submitted,
    limitsChanged: (accounts) => limitsChanged(accounts),
    fetch: send,
    request,
    call: async (name, args) => {
      const [answered, answer] = await one(name, args)
      if (answered === 'error') throw new Error(JSON.stringify(answer))
      return answer
    },
    error: async (name, args) => {
      const [answered, answer] = await one(name, args)
      if (answered !== 'error') throw new Error(`no error: ${JSON.stringify(answer)}`)
      return String(answer['type'])
    },
    mailbox,
    file: async (content, more = {}) => {
      const octets = typeof content === 'string' ? fromUtf8(content) : content
      const { results } = await store.commit({
        contents: [{ octets: [octets] }],
        commits: [
          {
            accountId: HANAKO.id,
            changes: [
              {
                kind: 'append',
                mailbox: { path: more.path ?? ['INBOX'], create: false },
                content: 0,
                flags: more.flags ?? 0,
                keywords: more.keywords ?? [],
                internalDateMs: more.atMs ?? Date.UTC(2026, 10, 25, 3),
                ...(more.prefix === undefined ? {} : { prefix: more.prefix }),
              },
            ],
          },
        ],
      })
      const [result] = results
      if (result?.kind !== 'committed' || result.results[0]?.kind !== 'append')
        throw new Error(JSON.stringify(result))
      return result.results[0].emailId
    },
  }
}
