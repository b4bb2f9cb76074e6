import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { err, Fault, ok } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { findCycle } from '#engine/route/check.ts'
import type { DeliveryId } from '#model/envelope.ts'
import { parseToken } from '#contract/node/join.ts'
import type { KeyPin } from '#base/pin.ts'
import type { NodeId } from '#model/event.ts'
import { NodeBook } from '#server/node/node-book.ts'
import { SqliteNodeRegistry } from '#store/nodes/node-registry.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { createAuthenticator } from '#store/directory/login.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import { verifyPassword } from '#store/directory/password.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import { SqliteSettingsStore } from '#store/settings/generations.ts'
import { SettingsMaster } from '#store/settings/settings-master.ts'
import { timeId } from '#store/spool/queue-id.ts'
import type { QueueFilter, QueueId, QueueMessage } from '#store/spool/spool-store.ts'
import type { AdminDeps } from './context.ts'
import { adminApp } from './app.ts'
import { healthApp } from './health.ts'

const TOKEN = 'a-token-of-the-test'
const clock = new FakeClock()
const log = memoryLog()
let dir = ''
let base = ''
let ends: (() => unknown)[] = []
let pending: { node: string; reason: string }[] = []
let directory: DirectoryMaster
let settings: SettingsMaster
const acts: string[] = []
let storeFault: Fault | undefined

const otherQueues: ReturnType<AdminDeps['queues']>[number][] = []
const queued: QueueMessage = {
  queueId: 'Q1' as QueueId,
  deliveryId: 'D1' as DeliveryId,
  door: 'mx',
  reversePath: null,
  body: '8bitmime',
  smtpUtf8: false,
  receivedAtMs: clock.nowMs(),
  expiresAtMs: clock.nowMs() + 1_000,
  sizeBytes: 123,
  recipients: [
    {
      address: { localpart: '太郎', domain: 'campus.example' },
      index: 0,
      state: 'ready',
      attempts: 2,
      nextAttemptMs: clock.nowMs(),
      lastStatus: '451 4.3.0 後で',
      delayNotified: false,
    },
  ],
}

const forgotten: string[] = []
let registry: SqliteNodeRegistry

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'watari-admin-'))
  const directoryLog = new SqliteDirectoryLog(join(dir, 'directory.db'))
  const settingsStore = new SqliteSettingsStore(join(dir, 'settings.db'))
  const index = new SqliteEventIndex({ path: join(dir, 'index.db') })
  directory = new DirectoryMaster({ log: directoryLog, clock, checks: [findCycle] })
  settings = new SettingsMaster({ store: settingsStore, clock })
  await directory.load()
  await settings.load()
  await index.put({
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
  })
  registry = new SqliteNodeRegistry(join(dir, 'nodes.db'))
  const book = new NodeBook({ registry, clock, pin: 'ab'.repeat(32) as KeyPin })
  const app = await adminApp(
    {
      version: '0.1.0',
      clock,
      tokens: [{ name: 'admin', sha256: createHash('sha256').update(TOKEN).digest('hex') }],
      authenticator: createAuthenticator({ directory: directory.directory, clock }),
      directory,
      directoryLog,
      settings,
      settingsStore,
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
        settled: async () => pending,
        forget: (node) => void forgotten.push(node),
      },
      nodes: book,
      queues: () => [
        {
          node: 'gateway-1',
          queue: {
            list: async ({ after }) => ({ messages: after === undefined ? [queued] : [] }),
            show: async ({ queueId }) => (queueId === 'Q1' ? { message: queued } : {}),
            act: async ({ act }) => {
              acts.push(act)
              return { changed: 1 }
            },
            status: async () => ({
              messages: 1,
              recipients: { ready: 1, claimed: 0, held: 0, delivered: 0, failed: 0, dropped: 0 },
              freeBytes: 1,
              full: false,
            }),
          },
        },
        ...otherQueues,
      ],
      scripts: () => ({
        node: 'store-1',
        scripts: {
          list: async () => {
            if (storeFault !== undefined) throw storeFault
            return [{ name: '振り分け', active: true, sizeBytes: 5 }]
          },
          get: async ({ name }) => ok({ name, active: true, text: 'keep;' }),
          put: async ({ name, text, activate, by }) => {
            acts.push(by)
            return text === 'keep;'
              ? ok({ name, active: activate, sizeBytes: 5 })
              : err({
                  code: 'invalid',
                  message: 'line 1: no',
                  errors: [{ line: 1, message: 'no' }],
                })
          },
          activate: async ({ name }) => ok(name),
          remove: async () => err({ code: 'active', message: '振り分け is the active script' }),
        },
      }),
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
    },
    log,
  )
  const server = createServer(app.listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`
  ends = [
    () => app.close(),
    () => {
      server.closeAllConnections()
      server.close()
    },
    () => directoryLog.close(),
    () => settingsStore.close(),
    () => index.close(),
  ]
})
after(async () => {
  for (const end of ends) await end()
  await rm(dir, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly headers: Headers
  // The shape is what the test looks at.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const isRaw = body instanceof Uint8Array
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body !== undefined && { 'content-type': isRaw ? 'message/rfc822' : 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? Buffer.from(body) : JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

describe('the admin API', () => {
  test('needs a token, and says so', async () => {
    for (const authorization of ['', 'Bearer wrong', 'Basic abc']) {
      const { status, body } = await ask('GET', '/status', undefined, { authorization })
      assert.equal(status, 401)
      assert.equal(body.error.code, 'unauthorised')
      assert.match(body.error.remedy, /Bearer TOKEN/)
    }
  })

  test('hands out one-time tokens, drains and removes nodes, and names those that are unknown', async () => {
    const made = await ask('POST', '/nodes/tokens', { name: 'store-1', role: 'store' })
    assert.equal(made.status, 201)
    const token = parseToken(made.body.token)
    assert.deepEqual([token?.name, token?.role, token?.pin], ['store-1', 'store', 'ab'.repeat(32)])
    await registry.join({
      secretSha256: createHash('sha256').update(token!.secret).digest('hex'),
      pin: 'cd'.repeat(32) as KeyPin,
      address: '192.0.2.1',
      port: 6443,
      nowMs: clock.nowMs(),
    })
    assert.equal((await ask('PUT', '/nodes/store-1/draining', { draining: true })).status, 200)
    const { body } = await ask('GET', '/nodes')
    assert.deepEqual(
      body.items.map((row: { node: string; draining?: boolean }) => [row.node, row.draining]),
      [
        ['gateway-1', undefined],
        ['store-1', true],
      ],
    )
    const again = await ask('POST', '/nodes/tokens', { name: 'store-1', role: 'store' })
    assert.deepEqual([again.status, again.body.error.code], [409, 'conflict'])
    assert.equal((await ask('DELETE', '/nodes/store-1')).status, 200)
    assert.deepEqual(forgotten, ['store-1'])
    assert.equal((await ask('DELETE', '/nodes/store-1')).status, 404)
    for (const name of ['Ünode', '', 'a b', 'x'.repeat(41)])
      assert.equal((await ask('POST', '/nodes/tokens', { name, role: 'store' })).status, 400)
    assert.equal((await ask('POST', '/nodes/tokens', { name: 'n', role: 'control' })).status, 400)
  })

  test('describes itself in OpenAPI, paths relative to /api/v1, without a token', async () => {
    const response = await fetch(`${base}/openapi.json`)
    const described = (await response.json()) as {
      openapi: string
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>
    }
    assert.equal(described.openapi, '3.1.0')
    for (const path of [
      '/domains',
      '/users/{user}',
      '/queue/{queueId}/{act}',
      '/settings/{key}',
      '/trace',
      '/users/{user}/scripts/{name}',
      '/users/{user}/active-script',
    ])
      assert.ok(described.paths[path], path)
    assert.ok(described.paths['/users']?.['post']?.responses['201'])
  })

  test('an unknown path and a bad body have the shape of every error', async () => {
    const unknown = await ask('GET', '/nothing/渡り')
    assert.equal(unknown.status, 404)
    assert.ok(unknown.body.error.remedy)
    const noUrl = await ask('GET', '/aliases/%ZZ')
    assert.deepEqual([noUrl.status, noUrl.body.error.code], [400, 'invalid'])
    const bad = await ask('POST', '/domains', { name: 5 })
    assert.equal(bad.status, 400)
    assert.match(bad.body.error.message, /name/)
    const broken = await fetch(`${base}/domains`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: '{',
    })
    assert.equal(broken.status, 400)
    assert.ok(((await broken.json()) as { error: { code: string } }).error.code)
  })

  test('the overview counts the last hour', async () => {
    const { status, body } = await ask('GET', '/overview')
    assert.deepEqual([status, body.counts, body.partial], [200, [], false])
    assert.equal(Date.parse(body.at) - Date.parse(body.since), 3_600_000)
  })

  test('domains, users, aliases, forwards and routes are made, shown, changed and removed', async () => {
    const made = await ask('POST', '/domains', { name: 'Campus.Example' })
    assert.equal(made.status, 201)
    const { version, ...domain } = made.body
    assert.deepEqual(domain, { name: 'campus.example', isDefault: true, pending: [] })
    assert.match(version, /^[0-9a-f]{16}$/)
    assert.equal((await ask('POST', '/domains', { name: 'campus.example' })).status, 409)
    await ask('POST', '/domains', { name: 'lab.campus.example', convertTo: 'campus.example' })

    const hanako = await ask('POST', '/users', {
      address: 'hanako',
      password: ' a&b パスワード"\\ ',
      name: '山田 花子',
      addresses: ['h.yamada@campus.example'],
    })
    assert.equal(hanako.status, 201, JSON.stringify(hanako.body))
    assert.equal(hanako.body.address, 'hanako@campus.example')
    assert.equal('credential' in hanako.body, false)
    const row = directory.directory.byLogin('hanako')!
    assert.equal(await verifyPassword(fromUtf8(' a&b パスワード"\\ '), row.credential), true)
    await ask('POST', '/users', {
      address: 'taro@campus.example',
      passwordBase64: Buffer.from([0xff, 0x26]).toString('base64'),
    })
    assert.equal((await ask('GET', '/users/HANAKO')).body.name, '山田 花子')
    assert.equal(
      (await ask('GET', `/users/${encodeURIComponent('hanako@lab.campus.example')}`)).body.id,
      row.id,
    )
    assert.deepEqual(
      (await ask('GET', `/users?search=${encodeURIComponent('花子')}`)).body.items.map(
        (item: { username: string }) => item.username,
      ),
      ['hanako'],
    )

    const first = await ask('GET', '/users?limit=1')
    assert.equal(first.body.items.length, 1)
    const second = await ask('GET', `/users?limit=1&after=${encodeURIComponent(first.body.next)}`)
    assert.equal(second.body.items[0].username, 'taro')
    assert.equal('next' in second.body, false)

    assert.equal((await ask('PATCH', '/users/hanako', { disabled: true })).body.disabled, true)
    assert.equal(
      (await ask('PATCH', '/users/hanako', { disabled: false, name: '鈴木 花子' })).body.name,
      '鈴木 花子',
    )
    await ask('POST', '/users/hanako/password', { password: '新しい' })
    assert.equal(directory.directory.byLogin('hanako')?.credentialVersion, 2)
    for (const password of ['', 'a\nb', 'x'.repeat(1_001)])
      assert.equal(
        (await ask('POST', '/users/hanako/password', { password })).status,
        400,
        JSON.stringify(password),
      )

    assert.equal(
      (await ask('POST', '/aliases', { from: 'info', to: ['hanako', '外@other.example'] })).status,
      201,
    )
    assert.equal((await ask('POST', '/aliases', { from: 'hanako', to: ['taro'] })).status, 409)
    const [{ version: _, ...alias }] = (await ask('GET', '/aliases')).body.items
    assert.deepEqual(alias, {
      from: 'info@campus.example',
      to: ['hanako@campus.example', '外@other.example'],
    })
    assert.equal(
      (await ask('PUT', '/users/hanako/forward', { to: ['taro'], keep: true })).body.keep,
      true,
    )
    const cycle = await ask('PUT', '/users/taro/forward', { to: ['hanako'], keep: false })
    assert.equal(cycle.status, 409, JSON.stringify(cycle.body))
    assert.match(cycle.body.error.message, /circle/)
    assert.equal((await ask('GET', '/forwards')).body.items.length, 1)

    assert.equal(
      (await ask('PUT', '/routes/other.example', { nextHop: 'smtp:[::1]:2525' })).body.nextHop,
      'smtp:[::1]:2525',
    )
    assert.equal((await ask('PUT', '/routes/other.example', { nextHop: 'pigeon' })).status, 400)
    assert.equal((await ask('DELETE', '/routes/other.example')).status, 200)

    assert.equal((await ask('DELETE', '/domains/campus.example')).status, 409)
    assert.equal((await ask('DELETE', '/users/hanako')).status, 200)
    assert.equal((await ask('DELETE', '/users/hanako')).status, 404)
    assert.equal((await ask('DELETE', '/aliases/info')).status, 200)
    const history = await ask('GET', '/directory/history?limit=2')
    assert.match(history.body.items[0].from, /^api 127\.0\.0\.1$/)
    assert.equal(history.body.items[0].who, 'admin')
    assert.equal(
      JSON.stringify((await ask('GET', '/directory/history')).body).includes('argon2'),
      false,
    )
  })

  test('a write names the nodes that have not taken it', async () => {
    pending = [{ node: 'store-2', reason: 'no answer yet' }]
    const { body } = await ask('PUT', '/settings/received.max', { value: 77 })
    pending = []
    assert.deepEqual(body.pending, [{ node: 'store-2', reason: 'no answer yet' }])
  })

  test('two administrators edit one setting: the second is told, with 409', async () => {
    const seen = await ask('GET', '/settings/spam.spamScore')
    const etag = seen.headers.get('etag')!
    assert.equal(
      (await ask('PUT', '/settings/spam.spamScore', { value: 11 }, { 'if-match': etag })).status,
      200,
    )
    const late = await ask('PUT', '/settings/spam.spamScore', { value: 12 }, { 'if-match': etag })
    assert.equal(late.status, 409)
    assert.match(late.body.error.message, /changed meanwhile: admin made generation/)
    assert.equal((await ask('GET', '/settings/spam.spamScore')).body.value, 11)
    assert.equal(
      (await ask('PUT', '/settings/spam.spamScore', { value: 1 }, { 'if-match': 'x' })).status,
      400,
    )
  })

  test('settings are shown, staged, compared, applied and rolled back', async () => {
    const before = settings.latest.generation
    assert.ok(
      (await ask('GET', '/settings')).body.items.some(
        (item: { key: string }) => item.key === 'dns.servers',
      ),
    )
    assert.equal((await ask('GET', '/settings/draft')).status, 404)
    const staged = await ask('PATCH', '/settings/draft', {
      values: { 'queue.lifetimeMs': '2d', 'dns.servers': '127.0.0.1:5300' },
    })
    assert.equal(staged.body.changes.length, 2)
    assert.equal((await ask('GET', '/settings/diff')).body.items.length, 2)
    assert.equal(settings.latest.generation, before)
    const applied = await ask('POST', '/settings/apply')
    assert.equal(applied.body.generation, before + 1, JSON.stringify(applied.body))
    assert.equal((await ask('GET', '/settings/queue.lifetimeMs')).body.value, 172_800_000)
    const back = await ask('POST', '/settings/rollback', { generation: before })
    assert.equal(back.body.note, `rollback to ${before}`)
    assert.equal((await ask('GET', '/settings/queue.lifetimeMs')).body.isDefault, true)
    const history = await ask('GET', '/settings/history?limit=1')
    assert.equal(history.body.items[0].generation, before + 2)
    assert.equal(history.body.next, String(before + 2))
    assert.deepEqual(
      (await ask('GET', `/settings/history/${before + 1}`)).body.values['dns.servers'],
      ['127.0.0.1:5300'],
    )
    assert.equal((await ask('GET', '/settings/no.such')).status, 404)
    const refused = await ask('PUT', '/settings/policy.spam', { value: '捨てる' })
    assert.match(refused.body.error.message, /policy\.spam: 捨てる is no action/)
  })

  test('the access list takes 100,000 networks at once, and pages through them', async () => {
    const add = Array.from(
      { length: 100_000 },
      (_, i) => `10.${i >> 9}.${(i >> 1) & 255}.${(i & 1) * 128}/25`,
    )
    const written = await ask('POST', '/access', { add })
    assert.equal(written.body.added, 100_000, JSON.stringify(written.body).slice(0, 300))
    assert.equal(
      (await ask('POST', '/access', { add: ['192.0.2.1', '10.0.0.0/25'] })).body.added,
      1,
    )
    const page = await ask('GET', '/access?limit=3')
    assert.deepEqual(page.body.items, ['10.0.0.0/25', '10.0.0.128/25', '10.0.1.0/25'])
    const next = await ask('GET', `/access?limit=1&after=${encodeURIComponent(page.body.next)}`)
    assert.deepEqual(next.body.items, ['10.0.1.128/25'])
    assert.equal((await ask('POST', '/access', { remove: ['10.0.0.0/25'] })).body.removed, 1)
    const bad = await ask('POST', '/access', { add: ['10.0.0.0/8', '10.0.0.1/8'] })
    assert.match(bad.body.error.message, /row 2: .*write 10\.0\.0\.0\/8/)
    assert.equal(settings.settings['relay.access'].rows, 100_000)
  })

  test('a page goes on where the last row has gone meanwhile; a cursor that is none is refused', async () => {
    await ask('POST', '/access', { add: ['198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32'] })
    const next = async (after: string) =>
      (await ask('GET', `/access?limit=1&after=${encodeURIComponent(after)}`)).body.items
    assert.deepEqual(await next('198.51.100.0/24'), ['203.0.113.0/24'])
    assert.deepEqual(await next('198.51.100.0/25'), ['203.0.113.0/24'])
    assert.deepEqual(await next('198.51.100.7'), ['203.0.113.0/24'])
    assert.deepEqual(await next('2001:db9::'), [])
    const remove = { remove: ['198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32'] }
    assert.equal((await ask('POST', '/access', remove)).body.removed, 3)
    for (const path of ['/access', '/settings/history', '/directory/history', '/queue']) {
      const { status, body } = await ask('GET', `${path}?after=%E7%84%A1`)
      assert.deepEqual([status, body.error.code], [400, 'invalid'], path)
      assert.match(body.error.message, /無 is no place in this list/)
    }
  })

  test('of two who edit one row the second is refused, and told who was first', async () => {
    await ask('POST', '/users', { address: 'futari', name: '一人目', password: 'パス' })
    const rows = [
      ['PATCH', '/users/futari', { name: '二人目' }, '/users?search=futari'],
      ['PUT', '/users/futari/forward', { to: ['a@far.example'], keep: true }, '/forwards'],
      ['PUT', '/aliases/futari2', { to: ['futari'] }, '/aliases?search=futari2'],
      ['PUT', '/routes/futari.example', { nextHop: 'hold' }, '/routes?search=futari'],
      ['PUT', '/domains/futari.example', { convertTo: 'campus.example' }, '/domains?search=futari'],
    ] as const
    await ask('POST', '/domains', { name: 'futari.example' })
    for (const [method, path, body, list] of rows) {
      assert.equal((await ask(method, path, body)).status, 200, path)
      const seen = (await ask('GET', list)).body.items[0].version
      const ifMatch = { 'if-match': `"${seen}"` }
      const other = Object.fromEntries(
        Object.entries(body).map(([key, value]) => [
          key,
          value === '二人目'
            ? '三人目'
            : value === 'hold'
              ? 'local'
              : key === 'to'
                ? ['b@far.example']
                : key === 'convertTo'
                  ? null
                  : value,
        ]),
      )
      assert.equal((await ask(method, path, other, ifMatch)).status, 200, path)
      const late = await ask(method, path, body, ifMatch)
      assert.deepEqual([late.status, late.body.error.code], [409, 'conflict'], path)
      assert.match(late.body.error.message, /^admin changed .*futari.* meanwhile, at \d{4}-/)
      assert.equal((await ask(method, path, body, { 'if-match': 'W/"x"' })).status, 400)
      const now = (await ask('GET', list)).body.items[0]
      assert.notEqual(now.version, seen)
      if (method === 'PUT' && path !== '/domains/futari.example')
        assert.equal((await ask('DELETE', path, undefined, ifMatch)).status, 409, path)
      const again = await ask(method, path, body, { 'if-match': `"${now.version}"` })
      assert.equal(again.status, 200, path)
    }
    const { id } = (await ask('GET', '/users/futari')).body
    const told = (await ask('GET', `/directory/history?key=account:${id}`)).body.items
    assert.deepEqual(
      told.map(({ after }: { after: { account: { name: string } } }) => after.account.name),
      ['二人目', '三人目', '二人目', '一人目'],
    )
    assert.equal((await ask('PUT', '/domains/none.example', { convertTo: null })).status, 404)
    await ask('DELETE', '/aliases/futari2')
    await ask('DELETE', '/routes/futari.example')
    await ask('DELETE', '/users/futari')
    assert.equal((await ask('DELETE', '/domains/futari.example')).status, 200)
  })

  test('the access list is searched by text, and by address for the networks that hold it', async () => {
    const add = ['192.88.99.0/24', '198.51.100.7', '2001:db8::/32', '192.88.99.64/26']
    await ask('POST', '/access', { add })
    const found = async (search: string): Promise<unknown> =>
      (await ask('GET', `/access?search=${encodeURIComponent(search)}`)).body.items
    assert.deepEqual(await found('192.88.99'), ['192.88.99.0/24', '192.88.99.64/26'])
    assert.deepEqual(await found('192.88.99.9'), ['192.88.99.0/24'])
    assert.deepEqual(await found(' 192.88.99.65 '), ['192.88.99.0/24', '192.88.99.64/26'])
    assert.deepEqual(await found('198.51.100.7'), ['198.51.100.7'])
    assert.deepEqual(await found('2001:DB8:0::1'), ['2001:db8::/32'])
    assert.deepEqual(await found('渡り'), [])
    await ask('POST', '/access', { remove: add })
  })

  test('the queues of all gateways are shown and acted on', async () => {
    const { body } = await ask('GET', '/queue')
    assert.equal(body.items[0].from, '')
    assert.equal(body.items[0].recipients[0].address, '太郎@campus.example')
    assert.equal(body.items[0].recipients[0].lastStatus, '451 4.3.0 後で')
    assert.equal((await ask('GET', '/queue/Q1')).body.node, 'gateway-1')
    assert.equal((await ask('GET', '/queue/Q9')).status, 404)
    for (const act of ['hold', 'release', 'retry', 'drop']) {
      const acted = await ask('POST', `/queue/Q1/${act}`)
      assert.equal(acted.body.changed, 1)
    }
    assert.deepEqual(acts, ['hold', 'release', 'retry', 'drop'])
    assert.equal((await ask('POST', '/queue/Q1/burn')).status, 400)
  })

  test('a page of a large queue ends where a gateway has looked enough, empty or not', async () => {
    const asked: unknown[] = []
    const queue = {
      list: async (filter: QueueFilter) => {
        asked.push(filter.after)
        if (filter.after === undefined) return { messages: [], next: 'QA' as QueueId }
        return { messages: filter.after === 'QB' ? [] : [{ ...queued, queueId: 'QB' as QueueId }] }
      },
      show: async () => ({}),
      act: async () => ({ changed: 0 }),
      status: async () => assert.fail('unasked'),
    }
    otherQueues.push({ node: 'gateway-0', queue })
    const pages: unknown[] = []
    let after: string | undefined
    do {
      const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
      const { body } = await ask(
        'GET',
        `/queue?limit=1&address=${encodeURIComponent('花')}${query}`,
      )
      pages.push(body.items.map(({ queueId }: { queueId: string }) => queueId))
      after = body.next
    } while (after !== undefined)
    otherQueues.pop()
    assert.deepEqual(pages, [[], ['QB'], ['Q1']])
    assert.deepEqual(asked, [undefined, 'QA'])
  })

  test('a page of the queues stands still: what has come since is counted, not shown', async () => {
    // Two queues in memory, by the rules of the real one.
    const ids: Record<string, QueueId[]> = {
      'gateway-0': [timeId(1_000), timeId(2_000)],
      'gateway-2': [],
    }
    for (const node of Object.keys(ids))
      otherQueues.push({
        node,
        queue: {
          list: async ({ after, before, from, order, limit }: QueueFilter) => {
            const found = ids[node]!.filter(
              (id) => (before === undefined || id < before) && (from === undefined || id >= from),
            )
            if (order === 'newest') found.reverse()
            const left = found.filter(
              (id) => after === undefined || (order === 'newest' ? id < after : id > after),
            )
            const shown = left.slice(0, limit)
            return {
              messages: shown.map((queueId) => ({ ...queued, queueId })),
              ...(left.length > limit && { next: shown.at(-1)! }),
            }
          },
          show: async () => ({}),
          act: async () => ({ changed: 0 }),
          status: async () => assert.fail('unasked'),
        },
      })
    const news = async (query = ''): Promise<Answer['body']> =>
      (await ask('GET', `/queue/news${query}`)).body
    const shown = async (query: string): Promise<unknown> =>
      (await ask('GET', `/queue?${query}`)).body.items.map(
        ({ node, queueId }: { node: string; queueId: string }) => `${node} ${queueId}`,
      )
    const { mark, count } = await news()
    assert.equal(count, 0)
    ids['gateway-0']!.push(timeId(3_000))
    ids['gateway-2']!.push(timeId(500), timeId(4_000))
    const since = `?since=${encodeURIComponent(mark)}`
    assert.deepEqual([(await news(since)).count, (await news(since)).isMore], [3, false])
    assert.equal((await news(`${since}&from=1970-01-01T00:00:03Z`)).count, 2)
    const until = `until=${encodeURIComponent(mark)}`
    const before = ['gateway-0', 'gateway-0', 'gateway-1']
    const first = (await shown(until)) as string[]
    assert.deepEqual(
      first.map((row) => row.split(' ')[0]),
      before,
    )
    assert.deepEqual(await shown(`${until}&order=newest`), first.toReversed())
    const fresh = (await news(since)).mark
    assert.equal((await news(`?since=${encodeURIComponent(fresh)}`)).count, 0)
    assert.equal(((await shown(`until=${encodeURIComponent(fresh)}`)) as string[]).length, 6)
    const page = (await ask('GET', `/queue?order=newest&limit=2&${until}`)).body
    const rest = `order=newest&${until}&after=${encodeURIComponent(page.next)}`
    assert.deepEqual(await shown(rest), [first[0]])
    ids['gateway-0']!.push(...Array.from({ length: 150 }, (_, n) => timeId(9_000 + n)))
    const many = await news(since)
    assert.deepEqual([many.count, many.isMore], [102, true])
    assert.equal((await ask('GET', '/queue/news?since=無')).status, 400)
    otherQueues.length = 0
  })

  test("users' scripts are listed, read, stored, activated; refusals say why", async () => {
    await ask('POST', '/users', { address: 'sieve@campus.example', password: 'パスワード' })
    const path = '/users/sieve@campus.example'
    const name = encodeURIComponent('振り分け/一')
    assert.deepEqual((await ask('GET', `${path}/scripts`)).body, {
      items: [{ name: '振り分け', active: true, sizeBytes: 5 }],
    })
    assert.deepEqual((await ask('GET', `${path}/scripts/${name}`)).body, {
      name: '振り分け/一',
      active: true,
      sizeBytes: 5,
      script: 'keep;',
    })
    const stored = await ask('PUT', `${path}/scripts/${name}`, { script: 'keep;' })
    assert.deepEqual(stored.body, { name: '振り分け/一', active: false, sizeBytes: 5 })
    assert.match(acts.at(-1) ?? '', /^admin by api /)
    const wrong = await ask('PUT', `${path}/scripts/${name}`, { script: 'oops' })
    assert.deepEqual([wrong.status, wrong.body.error.message], [400, 'line 1: no'])
    assert.match(wrong.body.error.remedy, /Nothing was stored/)
    assert.deepEqual((await ask('PUT', `${path}/active-script`, { name: null })).body, {
      name: null,
    })
    const active = await ask('DELETE', `${path}/scripts/${name}`)
    assert.deepEqual([active.status, active.body.error.code], [409, 'conflict'])
    assert.equal((await ask('GET', '/users/nobody/scripts')).status, 404)
    for (const [fault, status] of [
      [new Fault('unreachable', 'no connection'), 503],
      [new Fault('timeout', 'no answer'), 503],
      [new Fault('stalled', 'no answer'), 503],
      [new Fault('full', 'no room'), 507],
    ] as const) {
      storeFault = fault
      const away = await ask('GET', `${path}/scripts`)
      assert.equal(away.status, status)
      assert.match(away.body.error.message, /^store-1 cannot do it now: /)
    }
    storeFault = undefined
    await ask('DELETE', path)
  })

  test('status counts, and shows gaps of events', async () => {
    const { body } = await ask('GET', '/status')
    assert.equal(body.nodes[0].node, 'gateway-1')
    assert.deepEqual(body.queue, { messages: 1, ready: 1, claimed: 0, held: 0, unreachable: [] })
    assert.deepEqual(body.eventGaps, [
      { node: 'gateway-1', from: 1, to: 2, found: new Date(1).toISOString() },
    ])
  })

  test('a trace starts from a delivery id, a Message-ID or an address', async () => {
    for (const q of ['D1', '<m@x>', 'm@x', 'TARO@campus.example'])
      assert.equal(
        (await ask('GET', `/trace?q=${encodeURIComponent(q)}`)).body.items[0]?.deliveryId,
        'D1',
        q,
      )
    assert.deepEqual((await ask('GET', '/trace?q=none')).body, { items: [] })
    assert.equal((await ask('GET', '/trace')).status, 400)
  })

  test('a message that is uploaded comes back as a verdict with its evidence', async () => {
    const message = fromUtf8('Subject: 渡り\r\n\r\n本文\r\n')
    const { body } = await ask('POST', '/scan', message)
    assert.equal(body.virus.name, 'EICAR')
    assert.equal(body.hits[0].detail, `${message.byteLength} octets`)
    assert.deepEqual((await ask('POST', '/spam/score', message)).body, {
      score: 12.5,
      class: 'spam',
    })
    assert.equal((await ask('POST', '/sieve/check', { script: 'keep;' })).status, 503)
    assert.equal(log.lines.filter(({ event }) => event === 'admin.failed').length, 0)
  })
})

describe('the health of a role', () => {
  test('is alive, ready or not, with its reason, and has figures', async () => {
    let state: { state: string; reason?: string } = { state: 'ready' }
    const server = createServer(
      healthApp({
        role: 'gateway',
        state: () => state,
        metrics: () => [
          {
            name: 'watari_queue_messages',
            kind: 'gauge',
            help: 'Messages.\nIn the queue',
            values: [{ labels: { state: 'held "x"\\' }, value: 3 }, { value: 4 }],
          },
        ],
      }),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    assert.equal((await fetch(`${url}/readyz`)).status, 200)
    state = { state: 'stalled', reason: 'the disk does not answer' }
    const stalled = await fetch(`${url}/readyz`)
    assert.equal(stalled.status, 503)
    assert.deepEqual(await stalled.json(), { status: 'failing', role: 'gateway', ...state })
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    assert.equal(
      await (await fetch(`${url}/metrics`)).text(),
      '# HELP watari_queue_messages Messages.\\nIn the queue\n# TYPE watari_queue_messages gauge\nwatari_queue_messages{state="held \\"x\\"\\\\"} 3\nwatari_queue_messages 4\n',
    )
    assert.equal((await fetch(`${url}/other`)).status, 404)
    server.closeAllConnections()
    server.close()
  })
})
