import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { NO_POSTS } from './posts.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryLog } from '#base/log.ts'
import { err, Fault, ok } from '#base/outcome.ts'
import type { KeyPin } from '#base/pin.ts'
import { FakeClock } from '#base/time.ts'
import { AccountUpkeep } from '#engine/people/account-upkeep.ts'
import { findCycle } from '#engine/route/check.ts'
import type { DeliveryId } from '#model/envelope.ts'
import type { NodeId } from '#model/event.ts'
import { ROLES } from '#model/role.ts'
import type { Role } from '#model/role.ts'
import { adminApp } from '#server/admin/app.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { NodeBook } from '#server/node/node-book.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { AccountClock } from '#store/directory/account-clock.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import { SqliteUpkeepNotes } from '#store/directory/upkeep-notes.ts'
import { createAuthenticator } from '#store/directory/login.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import { SqliteApiTokens } from '#store/directory/api-token-shelf.ts'
import { ApiTokens } from '#store/directory/api-tokens.ts'
import { SqliteNodeRegistry } from '#store/nodes/node-registry.ts'
import { SqliteSettingsStore } from '#store/settings/generations.ts'
import { lifeRulesOf } from '#store/settings/life-rules.ts'
import { SettingsMaster } from '#store/settings/settings-master.ts'
import type { QueueId, QueueMessage } from '#store/spool/spool-store.ts'

export const TOKEN = 'a-token-of-the-test'
/** A token of each role. */
export const tokenOf = (role: Role): string => `a-token-of-the-${role}`

/** What the queue of the one gateway holds. */
export const QUEUED: QueueMessage = {
  queueId: 'Q1' as QueueId,
  deliveryId: 'D1' as DeliveryId,
  door: 'mx',
  reversePath: null,
  body: '8bitmime',
  smtpUtf8: false,
  receivedAtMs: 0,
  expiresAtMs: 0 + 1_000,
  sizeBytes: 123,
  recipients: [
    {
      address: { localpart: '太郎', domain: 'campus.example' },
      index: 0,
      state: 'ready',
      attempts: 2,
      nextAttemptMs: 0,
      lastStatus: '451 4.3.0 後で',
      delayNotified: false,
    },
  ],
}

type Queues = ReturnType<AdminDeps['queues']>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // The shape is what the test looks at.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

/** The API on stores of its own in a folder, with a gateway and a store that a test tells what to answer. */
export class AdminApi {
  readonly clock = new FakeClock()
  readonly log = memoryLog()
  readonly directory: DirectoryMaster
  readonly settings: SettingsMaster
  readonly upkeep: AccountUpkeep
  readonly registry: SqliteNodeRegistry
  readonly tokens: ApiTokens
  readonly index: SqliteEventIndex
  /** Acts on the queue, and who changed a script. */
  readonly acts: string[] = []
  /** Nodes that the hub was told to forget. */
  readonly forgotten: string[] = []
  readonly otherQueues: Queues[number][] = []
  pending: { node: string; reason: string }[] = []
  storeFault: Fault | undefined
  /** TXT records by their names; null: nobody can tell. */
  readonly texts = new Map<string, readonly string[] | null>()
  base = ''
  readonly #dir: string
  readonly #directoryLog: SqliteDirectoryLog
  readonly #settingsStore: SqliteSettingsStore
  readonly #upkeepNotes: SqliteUpkeepNotes
  readonly #tokenShelf: SqliteApiTokens
  readonly #ends: (() => unknown)[] = []

  constructor(dir: string) {
    const { clock } = this
    this.#dir = dir
    this.#directoryLog = new SqliteDirectoryLog(join(dir, 'directory.db'))
    this.#settingsStore = new SqliteSettingsStore(join(dir, 'settings.db'))
    this.index = new SqliteEventIndex({ path: join(dir, 'index.db') })
    this.registry = new SqliteNodeRegistry(join(dir, 'nodes.db'))
    this.#tokenShelf = new SqliteApiTokens(join(dir, 'tokens.db'))
    this.tokens = new ApiTokens({
      shelf: this.#tokenShelf,
      clock,
      log: this.log,
      taken: ['admin'],
    })
    const lives = new AccountClock({ clock, rules: () => lifeRulesOf(this.settings.loaded) })
    const log = this.#directoryLog
    this.directory = new DirectoryMaster({ log, clock, lives, checks: [findCycle] })
    this.settings = new SettingsMaster({ store: this.#settingsStore, clock })
    this.upkeep = new AccountUpkeep({
      directory: this.directory,
      notes: (this.#upkeepNotes = new SqliteUpkeepNotes(join(dir, 'upkeep.db'))),
      clock,
      log: this.log,
    })
  }

  async start(): Promise<void> {
    await this.directory.load()
    await this.settings.load()
    await this.index.put(EVENTS)
    const app = await adminApp(this.#deps(), this.log)
    const server = createServer(app.listener)
    // A process that stands still for long would close what the next request is on its way by.
    server.keepAliveTimeout = 0
    await once(server.listen(0, '127.0.0.1'), 'listening')
    this.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`
    this.#ends.push(
      () => app.close(),
      () => server.closeAllConnections(),
      () => server.close(),
    )
  }

  async end(): Promise<void> {
    await this.upkeep.close()
    for (const end of this.#ends) await end()
    for (const store of [
      this.#upkeepNotes,
      this.#directoryLog,
      this.#settingsStore,
      this.index,
      this.registry,
      this.#tokenShelf,
    ])
      store.close()
    await rm(this.#dir, { recursive: true, force: true })
  }

  /** With the token, where `headers` bring no other right. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const isRaw = body instanceof Uint8Array
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: {
        ...(!('cookie' in headers) && { authorization: `Bearer ${TOKEN}` }),
        ...(body !== undefined && {
          'content-type': isRaw ? 'message/rfc822' : 'application/json',
        }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? Buffer.from(body) : JSON.stringify(body) }),
    })
    return { status: response.status, headers: response.headers, body: await bodyOf(response) }
  }

  /** Logs in as a browser does; the headers of its requests. */
  async login(username: string, password: string): Promise<Readonly<Record<string, string>>> {
    const { headers, body } = await this.ask('POST', '/session', { username, password })
    const cookie = headers.getSetCookie()[0]!.split(';')[0]!
    return { cookie, 'x-csrf-token': body.csrfToken as string }
  }

  #deps(): AdminDeps {
    const { clock, directory, settings, registry, index, upkeep } = this
    return {
      version: '0.1.0',
      clock,
      tokens: [
        { name: 'admin', sha256: sha256(TOKEN) },
        ...ROLES.map((role) => ({ name: role, sha256: sha256(tokenOf(role)), role })),
      ],
      apiTokens: this.tokens,
      tokenLog: this.#tokenShelf,
      authenticator: createAuthenticator({ directory: directory.directory, clock }),
      directory,
      upkeep,
      directoryLog: this.#directoryLog,
      texts: (name) =>
        Promise.resolve(this.texts.get(name) === null ? undefined : (this.texts.get(name) ?? [])),
      settings,
      settingsStore: this.#settingsStore,
      hub: {
        nodes: () => [
          {
            node: 'gateway-1' as NodeId,
            role: 'gateway',
            connected: true,
            state: 'ready',
            lastBeatMs: 0,
          },
        ],
        settled: async () => this.pending,
        forget: (node) => void this.forgotten.push(node),
      },
      nodes: new NodeBook({ registry, clock, pin: 'ab'.repeat(32) as KeyPin }),
      queues: () => [{ node: 'gateway-1', queue: this.#queue() }, ...this.otherQueues],
      scripts: () => ({ node: 'store-1', scripts: this.#scripts() }),
      posts: () => ({ node: 'store-1', posts: NO_POSTS }),
      search: () => {
        throw new Fault('unavailable', 'no store has joined yet')
      },
      keeping: () => {
        throw new Fault('unavailable', 'no store has joined yet')
      },
      index,
      scan: async (message) => ({
        class: 'spam',
        score: 12.5,
        hits: [{ name: 'GTUBE', score: 1_000, detail: `${message.byteLength} octets` }],
        virus: { kind: 'infected', name: 'EICAR' },
        auth: [{ method: 'spf', result: 'none', properties: [['smtp.mailfrom', 'a@b']] }],
        caseId: 'C1',
        degraded: ['dns'],
      }),
    }
  }

  #queue(): Queues[number]['queue'] {
    return {
      list: async ({ after }) => ({ messages: after === undefined ? [QUEUED] : [] }),
      show: async ({ queueId }) => (queueId === 'Q1' ? { message: QUEUED } : {}),
      act: async ({ act }) => {
        this.acts.push(act)
        return { changed: 1 }
      },
      status: async () => ({
        messages: 1,
        recipients: { ready: 1, claimed: 0, held: 0, delivered: 0, failed: 0, dropped: 0 },
        freeBytes: 1,
        full: false,
      }),
    }
  }

  #scripts(): ReturnType<AdminDeps['scripts']>['scripts'] {
    return {
      list: async () => {
        if (this.storeFault !== undefined) throw this.storeFault
        return [{ id: '1', name: '振り分け', active: true, sizeBytes: 5, digest: 'd' }]
      },
      get: async ({ name }) => ok({ name, active: true, text: 'keep;' }),
      put: async ({ name, text, activate, by }) => {
        this.acts.push(by)
        return text === 'keep;'
          ? ok({ id: '1', name, active: activate, sizeBytes: 5, digest: 'd' })
          : err({
              code: 'invalid',
              message: 'line 1: no',
              errors: [{ line: 1, message: 'no' }],
            })
      },
      activate: async ({ name }) => ok(name),
      remove: async () => err({ code: 'active', message: '振り分け is the active script' }),
      bringIn: async ({ scripts, separator = '.', prefix = '', by }) => {
        this.acts.push(by)
        const row = { outcome: 'stored', names: [], unknownExtensions: [], errors: [] } as const
        return {
          naming: { separator, prefix },
          scripts: scripts.map(({ name, active }) => ({ ...row, name, active, warnings: [] })),
        }
      },
      rename: async ({ to }) =>
        to === '振り分け'
          ? err({ code: 'exists', message: 'there is a script of the new name already' })
          : ok(to),
    }
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export async function adminApi(): Promise<AdminApi> {
  const api = new AdminApi(await mkdtemp(join(tmpdir(), 'watari-admin-')))
  await api.start()
  return api
}

const EVENTS: Parameters<SqliteEventIndex['put']>[0] = {
  nowMs: 1,
  batches: [
    {
      node: 'gateway-1' as NodeId,
      epoch: 'e',
      records: [
        {
          node: 'gateway-1' as NodeId,
          seq: 3,
          atMs: 1_000,
          name: 'receive.accepted',
          deliveryId: 'D1',
          fields: { messageId: '<m@x>', to: 'taro@campus.example' },
        },
      ],
    },
  ],
}

const bodyOf = (response: Response): Promise<unknown> =>
  response.headers.get('content-type')?.startsWith('application/json') === true
    ? response.json()
    : response.text()
