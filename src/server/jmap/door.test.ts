import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Fault } from '#base/outcome.ts'
import { FakeClock, HOUR_MS } from '#base/time.ts'
import { HANAKO, jmapRoom, PASSWORD } from '#test/fake/jmap-room.ts'
import type { JmapRoomUnderTest } from '#test/fake/jmap-room.ts'

const CORE = 'urn:ietf:params:jmap:core'
const json = { 'content-type': 'application/json' }

const login = (room: JmapRoomUnderTest, body: unknown, headers: Record<string, string> = json) =>
  room.fetch('/auth/login', { method: 'POST', headers, body: JSON.stringify(body) })

const api = (
  room: JmapRoomUnderTest,
  body: RequestInit['body'],
  init: { readonly as?: string; readonly headers?: Record<string, string> } = { as: 'hanako' },
) =>
  room.fetch('/jmap/api', {
    method: 'POST',
    body: body ?? '',
    ...init,
    headers: { ...json, ...init.headers },
  })

const typeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { type: string }).type.split(':').at(-1)!

test('the Session tells where to go, by the name that was used (RFC 8620 §2)', async (t) => {
  const room = await jmapRoom(t)
  for (const path of ['/.well-known/jmap', '/jmap/session']) {
    const response = await room.fetch(path, { as: 'hanako' })
    const session = (await response.json()) as Record<string, never>
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(session['apiUrl'], `https://127.0.0.1:${room.port}/jmap/api`)
    assert.match(session['downloadUrl']!, /\{accountId\}.*\{blobId\}.*\{name\}.*\{type\}/)
    assert.match(session['eventSourceUrl']!, /\{types\}.*\{closeafter\}.*\{ping\}/)
    assert.equal(session['username'], 'hanako@campus.example')
    assert.deepEqual(Object.keys(session['accounts']!), [HANAKO.id])
    assert.equal(session['primaryAccounts']!['urn:ietf:params:jmap:mail'], HANAKO.id)
    assert.equal(
      (session['capabilities']![CORE] as { maxCallsInRequest: number }).maxCallsInRequest,
      32,
    )
  }
  // A name that is none does not get into the URLs.
  const socket = createConnection(room.port, '127.0.0.1')
  const basic = Buffer.from(`hanako:${PASSWORD}`).toString('base64')
  socket.end(
    `GET /jmap/session HTTP/1.1\r\nHost: x"y\r\nAuthorization: Basic ${basic}\r\nConnection: close\r\n\r\n`,
  )
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  assert.match(text, /"apiUrl":"https:\/\/mail\.campus\.example\/jmap\/api"/)
})

test('passwords are opaque octets; wrong, slowed and our own trouble are told apart', async (t) => {
  const room = await jmapRoom(t)
  const get = (authorization?: string) =>
    room.fetch('/jmap/session', authorization === undefined ? {} : { headers: { authorization } })
  const basic = (text: string | Buffer) => `Basic ${Buffer.from(text as string).toString('base64')}`
  const bare = await get()
  assert.equal(bare.status, 401)
  assert.match(bare.headers.get('www-authenticate')!, /^Basic/)
  assert.match(bare.headers.get('content-type')!, /^application\/problem\+json/)
  const page = await room.fetch('/jmap/session', { headers: { 'sec-fetch-dest': 'empty' } })
  assert.equal(page.status, 401)
  assert.equal(page.headers.get('www-authenticate'), null, 'a page has a login of its own')
  assert.equal((await get(basic(`hanako:${PASSWORD}`))).status, 200)
  assert.equal((await get(basic('hanako:wrong'))).status, 401)
  const octets = Buffer.concat([Buffer.from('hanako:'), Buffer.of(0xff, 0x3a, 0x80)])
  assert.equal((await get(basic(octets))).status, 401)
  assert.deepEqual([...room.authenticator.attempts.at(-1)!.password], [0xff, 0x3a, 0x80])
  const asked = room.authenticator.attempts.length
  for (const odd of ['Basic', 'Basic ?', basic('nocolon'), 'Bearer x', 'Basic /w==']) {
    assert.equal((await get(odd)).status, 401, odd)
  }
  assert.equal(room.authenticator.attempts.length, asked, 'what is no login is not asked')
  room.authenticator.fault = 'slowed'
  assert.equal((await get(basic('hanako:x'))).status, 429)
  room.authenticator.fault = 'unavailable'
  const down = await get(basic('hanako:x'))
  assert.deepEqual([down.status, down.headers.get('retry-after')], [503, '5'])
})

test('a web session has a cookie and a token, and ends by logout, idleness and age', async (t) => {
  const clock = new FakeClock()
  const room = await jmapRoom(t, {
    clock,
    sessions: { idleMs: 60_000, lifetimeMs: 150_000, perAccountMax: 2 },
  })
  const enter = async () => {
    const response = await login(room, { username: 'hanako', password: PASSWORD })
    assert.equal(response.status, 200)
    const setCookie = response.headers.get('set-cookie')!
    assert.match(setCookie, /^__Host-watari=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
    const { csrfToken, accountId } = (await response.json()) as Record<string, string>
    assert.equal(accountId, HANAKO.id)
    return { cookie: setCookie.split(';')[0]!, csrf: csrfToken! }
  }
  const session = (cookie: string) => room.fetch('/jmap/session', { headers: { cookie } })
  const first = await enter()
  assert.equal((await session(first.cookie)).status, 200)
  const again = await room.fetch('/auth/session', { headers: { cookie: first.cookie } })
  assert.equal(((await again.json()) as { csrfToken: string }).csrfToken, first.csrf)
  const body = JSON.stringify({ using: [CORE], methodCalls: [['Core/echo', { 渡り: '鳥' }, 'a']] })
  const post = (headers: Record<string, string>) => api(room, body, { headers })
  assert.equal((await post({ cookie: first.cookie })).status, 403)
  assert.equal((await post({ cookie: first.cookie, 'x-csrf-token': 'x'.repeat(43) })).status, 403)
  assert.equal((await post({ cookie: first.cookie, 'x-csrf-token': '' })).status, 403)
  const fine = await post({ cookie: first.cookie, 'x-csrf-token': first.csrf })
  assert.deepEqual(((await fine.json()) as { methodResponses: unknown[] }).methodResponses, [
    ['Core/echo', { 渡り: '鳥' }, 'a'],
  ])

  const second = await enter()
  const third = await enter()
  assert.equal((await session(first.cookie)).status, 401, 'the oldest gave way')
  const out = (headers: Record<string, string>) =>
    room.fetch('/auth/logout', { method: 'POST', headers })
  assert.equal((await out({ cookie: second.cookie })).status, 403)
  assert.equal((await out({ cookie: second.cookie, 'x-csrf-token': second.csrf })).status, 204)
  assert.equal((await session(second.cookie)).status, 401)
  const ended = await session(second.cookie)
  assert.equal(
    ended.headers.get('www-authenticate'),
    null,
    'no browser asks for a password by itself',
  )

  clock.advance(59_000)
  assert.equal((await session(third.cookie)).status, 200)
  clock.advance(59_000)
  assert.equal((await session(third.cookie)).status, 200)
  clock.advance(59_000)
  assert.equal((await session(third.cookie)).status, 401, 'too old, however busy')
  const idle = await enter()
  clock.advance(60_000)
  assert.equal((await session(idle.cookie)).status, 401, 'too long unused')

  const fourth = await enter()
  room.accounts.set(HANAKO.id, { ...HANAKO, credentialVersion: 2 })
  assert.equal((await session(fourth.cookie)).status, 401, 'a new password ends it')
  room.accounts.set(HANAKO.id, HANAKO)
  const fifth = await enter()
  room.accounts.set(HANAKO.id, { ...HANAKO, disabled: true })
  assert.equal((await session(fifth.cookie)).status, 401)
})

test('a login is refused without telling why, and takes JSON of texts only', async (t) => {
  const room = await jmapRoom(t)
  assert.equal((await login(room, { username: 'hanako', password: 'wrong' })).status, 401)
  assert.equal((await login(room, { username: 'nobody', password: 'wrong' })).status, 401)
  assert.equal((await login(room, { username: 'hanako', password: '\ud800' })).status, 400)
  for (const body of [{}, [], null, { username: 1, password: 'x' }, { username: 'hanako' }])
    assert.equal((await login(room, body)).status, 400)
  const form = { 'content-type': 'text/plain' }
  assert.equal((await login(room, { username: 'hanako', password: PASSWORD }, form)).status, 415)
  assert.equal((await login(room, { username: 'x'.repeat(20_000), password: 'x' })).status, 413)
  assert.equal((await room.fetch('/auth/login')).status, 404)
})

test('calls are run in order and refer back to earlier answers (RFC 8620 §3.7)', async (t) => {
  const room = await jmapRoom(t)
  const accountId = HANAKO.id
  const a = await room.file('Subject: 一\r\n\r\n', { atMs: 1_000 })
  const b = await room.file('Subject: 二\r\n\r\n', { atMs: 2_000 })
  const reference = (resultOf: string, name: string, path: string) => ({ resultOf, name, path })
  const responses = await room.request([
    ['Email/query', { accountId }, 'q'],
    [
      'Email/get',
      { accountId, '#ids': reference('q', 'Email/query', '/ids'), properties: ['subject'] },
      'g',
    ],
    ['Core/echo', { '#first': reference('q', 'Email/query', '/ids/0') }, 'e'],
    ['Core/echo', { '#all': reference('g', 'Email/get', '/list/*/subject') }, 'f'],
    ['Core/echo', { '#self': reference('x', 'Core/echo', '/self') }, 'x'],
    ['Core/echo', { '#later': reference('z', 'Core/echo', '/later') }, 'y'],
    ['Core/echo', { '#later': reference('y', 'Core/echo', '/later') }, 'z'],
    ['Core/echo', { '#wrong': reference('q', 'Email/get', '/ids') }, 'w'],
    ['Core/echo', { '#none': reference('q', 'Email/query', '/ids/7') }, 'n'],
    ['Core/echo', { '#proto': reference('q', 'Email/query', '/__proto__') }, 'p'],
    ['Core/echo', { '#odd': 'q' }, 'o'],
    ['Core/echo', { twice: 1, '#twice': reference('q', 'Email/query', '/ids') }, 't'],
    ['Email/nothing', { accountId }, 'u'],
    ['Email/get', { ids: [] }, 'v'],
    ['Email/get', { accountId: 'account-taro', ids: [] }, 'a'],
    ['Email/get', { accountId, ids: [], nonsense: true }, 's'],
  ])
  const brief = responses.map(([name, args, id]) => [id, name === 'error' ? args['type'] : name])
  assert.deepEqual(Object.fromEntries(brief), {
    q: 'Email/query',
    g: 'Email/get',
    e: 'Core/echo',
    f: 'Core/echo',
    x: 'invalidResultReference',
    y: 'invalidResultReference',
    z: 'invalidResultReference',
    w: 'invalidResultReference',
    n: 'invalidResultReference',
    p: 'invalidResultReference',
    o: 'invalidArguments',
    t: 'invalidArguments',
    u: 'unknownMethod',
    v: 'invalidArguments',
    a: 'accountNotFound',
    s: 'invalidArguments',
  })
  assert.deepEqual(responses[2]![1], { first: b })
  assert.deepEqual(responses[3]![1], { all: ['二', '一'] })
  assert.equal(await room.error('Email/copy', { fromAccountId: 'other' }), 'fromAccountNotFound')
  assert.equal(await room.error('Blob/copy', { blobIds: [] }), 'invalidArguments')
  const without = await room.request([['Email/query', { accountId }, 'q']], [CORE])
  assert.equal(without[0]![1]['type'], 'unknownMethod', 'the capability was not named')
  assert.ok(a < b)
})

test('what is no request, too much or too large is refused whole (RFC 8620 §3.6.1)', async (t) => {
  const room = await jmapRoom(t, {
    limits: { maxSizeRequest: 2_000, maxCallsInRequest: 2, maxObjectsInGet: 3, maxSizeUpload: 100 },
  })
  const text = (value: unknown): string => JSON.stringify(value)
  const echo = ['Core/echo', {}, 'a']
  for (const [body, type, status] of [
    ['{', 'notJSON', 400],
    [Buffer.of(0x22, 0xff, 0x22), 'notJSON', 400],
    ['['.repeat(65) + ']'.repeat(65), 'notJSON', 400],
    [`{"${'["'.repeat(90).replaceAll('"', String.raw`\"`)}": 1}`, 'notRequest', 400],
    ['7', 'notRequest', 400],
    [text({ using: [CORE] }), 'notRequest', 400],
    [text({ using: 'x', methodCalls: [] }), 'notRequest', 400],
    [text({ using: [CORE], methodCalls: [['Core/echo', {}]] }), 'notRequest', 400],
    [text({ using: [CORE], methodCalls: [['Core/echo', [], 'a']] }), 'notRequest', 400],
    [text({ using: ['urn:x'], methodCalls: [] }), 'unknownCapability', 400],
    [text({ using: [CORE], methodCalls: [echo, echo, echo] }), 'limit', 400],
    [' '.repeat(3_000), 'limit', 413],
  ] as const) {
    const response = await api(room, body as string)
    assert.equal(response.status, status, String(body).slice(0, 80))
    assert.match(response.headers.get('content-type')!, /^application\/problem\+json/)
    assert.equal(await typeOf(response), type)
  }
  const form = await api(room, text({ using: [CORE], methodCalls: [] }), {
    as: 'hanako',
    headers: { 'content-type': 'text/plain' },
  })
  assert.deepEqual([form.status, await typeOf(form)], [400, 'notJSON'])
  // The length is not told beforehand.
  const chunks = new ReadableStream({
    start(controller) {
      for (let n = 0; n < 100; n++) controller.enqueue(Buffer.alloc(1_000, ' '))
      controller.close()
    },
  })
  const init = {
    method: 'POST',
    as: 'hanako',
    body: chunks,
    duplex: 'half',
    headers: json,
  } as never
  assert.equal((await room.fetch('/jmap/api', init)).status, 413)
  const ids = Array.from({ length: 100 }, (_, n) => `E${n}`)
  for (const name of ['Email/get', 'Thread/get', 'Mailbox/get'])
    assert.equal(await room.error(name, { ids }), 'requestTooLarge')
  const pushed = { deviceClientId: 'x', url: 'https://push.other.example/渡り' }
  const [name, answer] = (
    await room.request([
      ['PushSubscription/set', { create: { p: pushed }, destroy: ['Pnone'] }, 'p'],
    ])
  )[0]!
  assert.equal(name, 'PushSubscription/set')
  const { p } = answer['notCreated'] as Record<string, { type: string }>
  assert.deepEqual([p!.type, answer['accountId']], ['forbidden', undefined])
  const none = (await room.request([['PushSubscription/get', { ids: ['Pnone'] }, 'p']]))[0]!
  assert.deepEqual(none[1], { list: [], notFound: ['Pnone'] })
  const wrong = [{ ids: 'x' }, { ids: [1] }, { ids: ['a b'] }, { ids: [''] }, { ids: {} }]
  for (const args of wrong) assert.equal(await room.error('Email/get', args), 'invalidArguments')
})

test('an upload is kept for its account, within limits (RFC 8620 §6.1)', async (t) => {
  const clock = new FakeClock()
  const room = await jmapRoom(t, {
    clock,
    limits: { maxSizeUpload: 100, uploadBytesPerAccountMax: 150 },
  })
  const upload = (body: string, as = 'hanako', account: string = HANAKO.id) =>
    room.fetch(`/jmap/upload/${account}`, {
      method: 'POST',
      as,
      body,
      headers: { 'content-type': 'text/x-' },
    })
  const response = await upload('渡り鳥')
  assert.equal(response.status, 201)
  const { blobId, size, type } = (await response.json()) as Record<string, never>
  assert.deepEqual([size, type], [9, 'text/x-'])
  const get = (id: string, as = 'hanako', account: string = HANAKO.id) =>
    room.fetch(`/jmap/download/${account}/${id}/x.txt`, { as })
  assert.equal(await (await get(blobId!)).text(), '渡り鳥')
  assert.equal((await get(blobId!, 'taro')).status, 404, 'of another account')
  assert.equal((await get(blobId!, 'taro', 'account-taro')).status, 404, 'of another account')
  assert.equal((await upload('x', 'taro')).status, 404)
  assert.equal((await upload('x'.repeat(101))).status, 413)
  for (let n = 0; n < 2; n++) assert.equal((await upload('x'.repeat(100))).status, 201)
  assert.equal((await get(blobId!)).status, 404, 'newer ones took its room')
  const last = (await (await upload('後')).json()) as { blobId: string }
  clock.advance(HOUR_MS)
  await room.store.purge({ beforeMs: 0 })
  assert.equal(await (await get(last.blobId)).text(), '後', 'an hour at least')
  clock.advance(2 * HOUR_MS)
  await room.store.purge({ beforeMs: 0 })
  assert.equal((await get(last.blobId)).status, 404, 'its time is over')

  const socket = createConnection(room.port, '127.0.0.1')
  const basic = Buffer.from(`hanako:${PASSWORD}`).toString('base64')
  socket.write(
    `POST /jmap/upload/${HANAKO.id} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${basic}\r\nContent-Length: 99\r\n\r\n半分`,
  )
  while (room.store.largeFiles === 0) await setImmediate()
  socket.destroy()
  while (room.store.largeFiles > 0) await setImmediate()
  room.store.fault = new Fault('full', 'no room')
  assert.equal((await upload('x')).status, 507)
})

test('a storage that does not answer is told as such, and nothing hangs', async (t) => {
  const room = await jmapRoom(t)
  const id = await room.file('Subject: 中\r\n\r\n')
  room.store.fault = new Fault('stalled', 'the disk is away')
  for (const [name, args] of [
    ['Email/get', { ids: [id] }],
    ['Email/query', {}],
    ['Mailbox/get', {}],
    ['Thread/get', { ids: [] }],
  ] as const)
    assert.equal(await room.error(name, args), 'serverUnavailable')
  const download = await room.fetch(`/jmap/download/${HANAKO.id}/G${id}/x`, { as: 'hanako' })
  assert.equal(download.status, 503)
  room.store.fault = undefined
  assert.equal((await room.call('Email/get', { ids: [id] })).list.length, 1)
})

test('what is not taken yet counts against the limit of its account, until it is taken or given up', async (t) => {
  const room = await jmapRoom(t, { limits: { downloadsPerAccountMax: 2 } })
  // More than two sockets buffer.
  const id = await room.file(`Subject: 渡り\r\n\r\n${'渡り鳥\r\n'.repeat(2_000_000)}`)
  const path = `/jmap/download/${HANAKO.id}/G${id}/x`
  const open = () => room.fetch(path, { as: 'hanako' })
  const first = await open()
  const second = await open()
  assert.deepEqual([first.status, second.status, (await open()).status], [200, 200, 429])
  await first.body!.cancel()
  let third = await open()
  while (third.status === 429) third = await open() // the end is heard a little later
  assert.equal(third.status, 200)
  const [a, b] = await Promise.all([second.arrayBuffer(), third.arrayBuffer()])
  assert.ok(Buffer.from(a).equals(Buffer.from(b)))
})

test('an event stream tells of changes, by type, and ends when asked (RFC 8620 §7.3)', async (t) => {
  const room = await jmapRoom(t, { limits: { eventStreamsPerAccountMax: 2 } })
  const open = (query: string) => room.fetch(`/jmap/eventsource?${query}`, { as: 'hanako' })
  const { state: before } = await room.call('Email/get', { ids: [] })
  const once = await open('types=Email,Mailbox&closeafter=state&ping=0')
  assert.match(once.headers.get('content-type')!, /^text\/event-stream/)
  const forever = await open('types=*&closeafter=no&ping=5')
  assert.equal((await open('types=*')).status, 429)
  await room.file('Subject: 新\r\n\r\n')
  const text = await once.text()
  const event = /event: state\ndata: (.*)\n\n/.exec(text)
  const change = JSON.parse(event![1]!) as {
    '@type': string
    changed: Record<string, Record<string, string>>
  }
  assert.equal(change['@type'], 'StateChange')
  assert.deepEqual(Object.keys(change.changed[HANAKO.id]!), ['Mailbox', 'Email'])
  const changes = await room.call('Email/changes', { sinceState: before })
  assert.equal(changes.newState, change.changed[HANAKO.id]!['Email'])
  let until = ''
  const stream = forever.body!.pipeThrough(new TextDecoderStream()).getReader()
  const more = async (): Promise<boolean> => {
    const { value, done } = await stream.read()
    until += value ?? ''
    return !done
  }
  while (!until.includes('event: state')) assert.ok(await more())
  // Who has a new password must log in anew.
  room.accounts.set(HANAKO.id, { ...HANAKO, credentialVersion: 2 })
  await room.file('Subject: 次\r\n\r\n')
  while (await more());
  assert.equal(until.match(/event: state/g)?.length, 1)
  room.accounts.set(HANAKO.id, HANAKO)
  assert.equal((await open('types=<script>')).status, 400)
})

test('an event stream names what changed, submissions and identities too (RFC 8620 §7.1)', async (t) => {
  const room = await jmapRoom(t)
  const changedBy = async (act: () => Promise<unknown>): Promise<string[]> => {
    const query = '/jmap/eventsource?types=*&closeafter=state&ping=0'
    const stream = await room.fetch(query, { as: 'hanako' })
    await act()
    const event = /event: state\ndata: (.*)\n\n/.exec(await stream.text())!
    const { changed } = JSON.parse(event[1]!) as { changed: Record<string, object> }
    return Object.keys(changed[HANAKO.id]!)
  }
  const [own] = (await room.call('Identity/get')).list
  const update = { [own.id]: { name: '花子' } }
  assert.deepEqual(await changedBy(() => room.call('Identity/set', { update })), ['Identity'])
  const emailId = await room.file('From: hanako@campus.example\r\nTo: x@y.example\r\n\r\n本文')
  const create = { s: { identityId: own.id, emailId } }
  const sent = () => room.call('EmailSubmission/set', { create })
  assert.deepEqual(await changedBy(sent), ['EmailSubmission'])
  const { items } = await room.store.outbox({ limit: 1 })
  const done = () => room.store.outboxDone({ ids: items.map(({ id }) => id) })
  assert.deepEqual(await changedBy(done), ['EmailSubmission'])
})

test('ways that lead nowhere and methods that do not fit are refused', async (t) => {
  const room = await jmapRoom(t)
  for (const [path, status] of [
    ['/jmap/', 404],
    ['/jmap/nothing', 404],
    ['/jmap/api', 405],
    ['/jmap/download/%ff/x/y', 404],
    ['/jmap/download/a/b', 404],
    [`/jmap/download/${HANAKO.id}/%2e%2e/x`, 404],
    ['/other', 404],
  ] as const)
    assert.equal((await room.fetch(path, { as: 'hanako' })).status, status, path)
})
