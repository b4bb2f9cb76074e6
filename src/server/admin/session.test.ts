import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { err, ok } from '#base/outcome.ts'
import { FakeClock, HOUR_MS, MINUTE_MS } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { NO_MOMENT } from '#model/account-life.ts'
import type { LoginAttempt, LoginFault } from '#store/directory/authenticator.ts'
import { adminApp } from './app.ts'
import type { AdminDeps } from './context.ts'

const clock = new FakeClock()
const account: Account = {
  id: 'account-1' as AccountId,
  username: 'admin',
  domain: 'campus.example',
  name: '管理者',
  admin: true,
  disabled: false,
  credentialVersion: 1,
  addresses: [],
  delegated: [],
}
let now: Account | undefined
let fault: LoginFault | undefined
const attempts: LoginAttempt[] = []
const drained: string[] = []
let base = ''
let ends: (() => unknown)[] = []

before(async () => {
  const deps = {
    version: '0.1.0',
    clock,
    tokens: [{ name: 'admin', sha256: createHash('sha256').update('token').digest('hex') }],
    authenticator: {
      login: async (attempt: LoginAttempt) => {
        attempts.push(attempt)
        return fault === undefined && now !== undefined ? ok(now) : err(fault ?? 'refused')
      },
    },
    directory: {
      directory: { account: () => now, moment: NO_MOMENT },
      onChange: () => () => undefined,
    },
    hub: { nodes: () => [], settled: async () => [], forget: () => undefined },
    queues: () => [],
    index: { gaps: async () => ({ items: [] }) },
    nodes: { nodes: [], drain: async (name: string) => drained.push(name) > 0 },
  } as unknown as AdminDeps
  const app = await adminApp(deps, memoryLog())
  const server = createServer(app.listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`
  ends = [() => app.close(), () => server.closeAllConnections(), () => server.close()]
})
after(async () => {
  for (const end of ends) await end()
})
beforeEach(() => {
  now = account
  fault = undefined
  attempts.length = 0
  drained.length = 0
})

interface Answer {
  readonly status: number
  readonly cookie: string
  readonly setCookie: string
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

async function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const setCookie = response.headers.get('set-cookie') ?? ''
  return {
    status: response.status,
    setCookie,
    cookie: setCookie.split(';')[0]!,
    body: await response.json(),
  }
}

const login = (headers: Record<string, string> = {}) =>
  ask('POST', '/session', headers, { username: 'admin', password: 'パス&ワード' })

const drain = (headers: Record<string, string>) =>
  ask('PUT', '/nodes/gateway-1/draining', headers, { draining: true })

describe('sessions of administrators', () => {
  test('a login gives a cookie that scripts and other sites cannot use, and says who it is', async () => {
    const { status, setCookie, body } = await login({ 'watari-peer': '192.0.2.7' })
    assert.equal(status, 201)
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/'])
      assert.ok(setCookie.includes(`; ${attribute}`), setCookie)
    assert.match(setCookie, /^__Host-/)
    assert.deepEqual([body.username, body.name], ['admin', '管理者'])
    assert.deepEqual([attempts[0]?.ip, attempts[0]?.protocol], ['192.0.2.7', 'page'])
    assert.equal(Buffer.from(attempts[0]!.password).toString(), 'パス&ワード')
  })

  test('reads with the cookie alone, writes only with the token that goes with it', async () => {
    const { cookie, body } = await login()
    assert.equal((await ask('GET', '/nodes', { cookie })).status, 200)
    assert.equal((await drain({ cookie })).status, 403)
    assert.equal((await drain({ cookie, 'x-csrf-token': 'x' })).body.error.code, 'forbidden')
    assert.deepEqual(drained, [])
    assert.equal((await drain({ cookie, 'x-csrf-token': body.csrfToken })).status, 200)
    assert.deepEqual(drained, ['gateway-1'])
    const again = await ask('GET', '/session', { cookie })
    assert.equal(again.body.csrfToken, body.csrfToken)
  })

  test('a token beside a cookie is what counts', async () => {
    const { cookie } = await login()
    assert.equal((await drain({ cookie, authorization: 'Bearer token' })).status, 200)
    assert.equal((await drain({ cookie, authorization: 'Bearer wrong' })).status, 401)
  })

  test('wrong, slowed and unavailable are told apart from one another, not from who exists', async () => {
    for (const [what, status] of [
      ['refused', 401],
      ['slowed', 429],
      ['unavailable', 503],
    ] as const) {
      fault = what
      const answer = await login()
      assert.deepEqual([answer.status, answer.setCookie], [status, ''])
    }
  })

  test('an account that is no administrator does not get in', async () => {
    now = { ...account, admin: false }
    const answer = await login()
    assert.deepEqual([answer.status, answer.setCookie], [403, ''])
  })

  test('ends with the log-out, and with the rights, the account and the password that it stands on', async () => {
    const first = await login()
    const headers = { cookie: first.cookie, 'x-csrf-token': first.body.csrfToken }
    assert.equal((await ask('DELETE', '/session', { cookie: first.cookie })).status, 403)
    assert.match((await ask('DELETE', '/session', headers)).setCookie, /Max-Age=0/)
    assert.equal((await ask('GET', '/nodes', headers)).status, 401)
    for (const change of [{ admin: false }, { disabled: true }, { credentialVersion: 2 }]) {
      now = account
      const { cookie } = await login()
      assert.equal((await ask('GET', '/nodes', { cookie })).status, 200)
      now = { ...account, ...change }
      assert.equal((await ask('GET', '/nodes', { cookie })).status, 401, JSON.stringify(change))
      now = account
      assert.equal((await ask('GET', '/nodes', { cookie })).status, 401, 'it comes not back')
    }
    const gone = await login()
    now = undefined
    assert.equal((await ask('GET', '/session', { cookie: gone.cookie })).status, 401)
  })

  test('ends after 30 minutes without use, whatever the page looks at by itself, and after 12 hours', async () => {
    const idle = await login()
    for (let minute = 0; minute < 29; minute += 10) {
      clock.advance(10 * MINUTE_MS)
      const headers = { cookie: idle.cookie, 'watari-background': '1' }
      assert.equal((await ask('GET', '/nodes', headers)).status, minute < 20 ? 200 : 401)
    }
    const busy = await login()
    for (let minute = 20; minute < 12 * 60; minute += 20) {
      clock.advance(20 * MINUTE_MS)
      assert.equal((await ask('GET', '/nodes', { cookie: busy.cookie })).status, 200)
    }
    clock.advance(HOUR_MS)
    assert.equal((await ask('GET', '/nodes', { cookie: busy.cookie })).status, 401)
  })

  test('an account has at most 20: the least used one ends for a new one', async () => {
    const all: Answer[] = []
    for (let count = 0; count < 21; count++) all.push(await login())
    const statuses = await Promise.all(
      all.map(async ({ cookie }) => (await ask('GET', '/session', { cookie })).status),
    )
    assert.deepEqual(statuses, [401, ...Array.from({ length: 20 }, () => 200)])
  })
})
