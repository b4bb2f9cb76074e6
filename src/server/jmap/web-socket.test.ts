import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { FakeClock } from '#base/time.ts'
import { HANAKO, jmapRoom, PASSWORD } from '#test/fake/jmap-room.ts'
import type { JmapRoomUnderTest } from '#test/fake/jmap-room.ts'

const CORE = 'urn:ietf:params:jmap:core'
const MAIL = 'urn:ietf:params:jmap:mail'
const WEBSOCKET = 'urn:ietf:params:jmap:websocket'
const BASIC = `Basic ${Buffer.from(`hanako:${PASSWORD}`).toString('base64')}`

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it
type Message = any

/** Node's own client: not the library that serves. */
async function connect(
  t: TestContext,
  room: JmapRoomUnderTest,
  {
    headers = { authorization: BASIC },
    protocols = ['jmap'],
  }: { readonly headers?: Record<string, string>; readonly protocols?: string[] } = {},
) {
  const socket = new WebSocket(`ws://127.0.0.1:${room.port}/jmap/ws`, { protocols, headers })
  const came: Message[] = []
  let wake = (): void => undefined
  socket.addEventListener('message', ({ data }) => {
    came.push(JSON.parse(data as string))
    wake()
  })
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener('close', ({ code }) => resolve(code)),
  )
  t.after(() => socket.close())
  const opened = new Promise<boolean>((resolve) => {
    socket.addEventListener('open', () => resolve(true))
    socket.addEventListener('error', () => resolve(false))
  })
  return {
    socket,
    closed,
    isOpen: await opened,
    send: (message: unknown) =>
      socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: async (): Promise<Message> => {
      while (came.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return came.shift()
    },
  }
}

const echo = (id: string | undefined, args: Record<string, unknown>) => ({
  '@type': 'Request',
  ...(id !== undefined && { id }),
  using: [CORE, WEBSOCKET],
  methodCalls: [['Core/echo', args, 'c']],
})

test('requests and responses go over a WebSocket, several at once (RFC 8887 §4)', async (t) => {
  const room = await jmapRoom(t)
  const session = (await (await room.fetch('/jmap/session', { as: 'hanako' })).json()) as Message
  assert.deepEqual(session.capabilities[WEBSOCKET], {
    url: `wss://127.0.0.1:${room.port}/jmap/ws`,
    supportsPush: true,
  })
  const { send, next, socket, isOpen } = await connect(t, room)
  assert.ok(isOpen)
  assert.equal(socket.protocol, 'jmap')
  send(echo('一', { 渡り: '鳥' }))
  assert.deepEqual(await next(), {
    '@type': 'Response',
    requestId: '一',
    methodResponses: [['Core/echo', { 渡り: '鳥' }, 'c']],
    sessionState: session.state,
  })
  send(echo(undefined, {}))
  assert.ok(!('requestId' in (await next())))
  // More than an account may have at once wait for one another, and a large one comes whole.
  const large = '渡り鳥'.repeat(100_000)
  for (let at = 0; at < 40; at++) send(echo(String(at), at === 7 ? { large } : { at }))
  const ids = new Set<string>()
  for (let at = 0; at < 40; at++) {
    const answer = await next()
    assert.equal(answer['@type'], 'Response')
    if (answer.requestId === '7') assert.equal(answer.methodResponses[0][1].large, large)
    ids.add(answer.requestId as string)
  }
  assert.equal(ids.size, 40)
})

test('what is no request is told, and the connection goes on (RFC 8887 §4.3.4)', async (t) => {
  const room = await jmapRoom(t)
  const { send, next } = await connect(t, room)
  const errorOf = async (message: unknown) => {
    send(message)
    const { '@type': type, requestId, type: kind, status } = await next()
    assert.equal(type, 'RequestError')
    return [requestId, String(kind).split(':').at(-1), status]
  }
  assert.deepEqual(await errorOf('渡り'), [null, 'notJSON', 400])
  assert.deepEqual(await errorOf('['.repeat(100_000)), [null, 'notJSON', 400])
  assert.deepEqual(await errorOf([]), [null, 'notRequest', 400])
  assert.deepEqual(await errorOf({ '@type': 'Wish', id: 'a' }), ['a', 'notRequest', 400])
  assert.deepEqual(await errorOf({ '@type': 'Request', id: 'a' }), ['a', 'notRequest', 400])
  assert.deepEqual(await errorOf({ ...echo('', {}), id: 5 }), [null, 'notRequest', 400])
  assert.deepEqual(await errorOf({ ...echo('b', {}), using: ['x'] }), [
    'b',
    'unknownCapability',
    400,
  ])
  const wish = { '@type': 'WebSocketPushEnable', id: 'c', dataTypes: 'Email' }
  assert.deepEqual(await errorOf(wish), ['c', 'notRequest', 400])
  send(echo('d', {}))
  assert.equal((await next()).requestId, 'd')
})

test('changes are told when they are wanted, and what was missed when it comes again (RFC 8887 §4.3.5)', async (t) => {
  const room = await jmapRoom(t)
  const first = await connect(t, room)
  first.send({ '@type': 'WebSocketPushEnable', dataTypes: ['Email', 'Mailbox', 'Unheard'] })
  first.send(echo('there', {})) // requests are taken in their order
  await first.next()
  await room.file('Subject: 新\r\n\r\n')
  const change = await first.next()
  assert.equal(change['@type'], 'StateChange')
  assert.deepEqual(Object.keys(change.changed[HANAKO.id]), ['Mailbox', 'Email'])
  assert.match(change.pushState, /^[\w-]{16}$/)
  first.send({ '@type': 'WebSocketPushDisable' })
  first.send(echo('quiet', {}))
  assert.equal((await first.next()).requestId, 'quiet')
  first.socket.close()
  await room.file('Subject: 次\r\n\r\n')
  const second = await connect(t, room)
  const { '@type': _, ...told } = change
  const wish = { '@type': 'WebSocketPushEnable', dataTypes: ['Email', 'Mailbox'] }
  second.send({ ...wish, pushState: told.pushState })
  const missed = await second.next()
  const { newState } = await room.call('Email/changes', {
    sinceState: told.changed[HANAKO.id].Email,
  })
  assert.equal(missed.changed[HANAKO.id].Email, newState)
  // Whoever has missed nothing is told of what comes only; a later wish replaces an earlier one.
  const third = await connect(t, room)
  third.send({ ...wish, pushState: missed.pushState })
  third.send({ '@type': 'WebSocketPushEnable', dataTypes: null })
  third.send(echo('there', {}))
  assert.equal((await third.next()).requestId, 'there')
  await room.file('Subject: 三\r\n\r\n')
  assert.deepEqual(Object.keys((await third.next()).changed[HANAKO.id]), [
    'Mailbox',
    'Email',
    'Thread',
    'EmailDelivery',
    'Quota',
  ])
})

test('an event stream that comes again is told what it missed', async (t) => {
  const room = await jmapRoom(t)
  const open = (headers: Record<string, string> = {}) =>
    room.fetch('/jmap/eventsource?types=Email&closeafter=state&ping=0', { as: 'hanako', headers })
  const first = await open()
  const reader = first.body!.pipeThrough(new TextDecoderStream()).getReader()
  let head = ''
  while (!/\nid: .*\n\n/.test(head)) head += (await reader.read()).value!
  await reader.cancel()
  await room.file('Subject: 新\r\n\r\n')
  const text = await (await open({ 'last-event-id': /id: (.*)\n/.exec(head)![1]! })).text()
  assert.match(text, /id: [\w-]{16}\n\nevent: state\ndata: .*"Email"/)
})

test('strangers, other pages and what is no JMAP stay outside', async (t) => {
  const room = await jmapRoom(t, { limits: { webSocketsPerAccountMax: 2, maxSizeRequest: 1_000 } })
  const tried = async (headers: Record<string, string>) =>
    (await connect(t, room, { headers })).isOpen
  assert.equal(await tried({}), false)
  assert.equal(await tried({ authorization: 'Basic xx' }), false)
  for (const origin of ['https://elsewhere.example', 'null', `http://127.0.0.1:${room.port + 1}`])
    assert.equal(await tried({ authorization: BASIC, origin }), false, origin)
  const plain = await room.fetch('/jmap/ws', { as: 'hanako' })
  assert.deepEqual([plain.status, plain.headers.get('upgrade')], [426, 'websocket'])
  // Whoever offers nothing is told of nothing, and hears why.
  const { socket, closed, isOpen } = await connect(t, room, { protocols: [] })
  assert.ok(isOpen)
  assert.equal(socket.protocol, '')
  assert.equal(await closed, 1008)
  const binary = await connect(t, room)
  binary.socket.send(Buffer.from('{}'))
  assert.equal(await binary.closed, 1003)
  const large = await connect(t, room)
  large.send(echo('a', { long: 'x'.repeat(1_000) }))
  assert.equal(await large.closed, 1009)
  const two = [await connect(t, room), await connect(t, room)]
  assert.ok(two.every(({ isOpen }) => isOpen))
  assert.equal(await (await connect(t, room)).closed, 1013)
})

test('it lasts as long as what let it in', async (t) => {
  const room = await jmapRoom(t)
  const entered = await room.fetch('/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'hanako', password: PASSWORD }),
  })
  const cookie = entered.headers.get('set-cookie')!.split(';')[0]!
  const { csrfToken } = (await entered.json()) as { csrfToken: string }
  assert.equal((await connect(t, room, { headers: { cookie } })).isOpen, false, 'whose page?')
  const { origin } = room
  const page = await connect(t, room, { headers: { cookie, origin } })
  page.send(echo('a', {}))
  assert.equal((await page.next()).requestId, 'a')
  await room.fetch('/auth/logout', {
    method: 'POST',
    headers: { cookie, 'x-csrf-token': csrfToken },
  })
  page.send(echo('b', {}))
  assert.equal(await page.closed, 1008)
  const program = await connect(t, room)
  program.send({ '@type': 'WebSocketPushEnable' })
  program.send(echo('c', {}))
  await program.next()
  room.accounts.set(HANAKO.id, { ...HANAKO, credentialVersion: 2 })
  await room.file('Subject: 新\r\n\r\n')
  assert.equal(await program.closed, 1008)
})

test('who reads nothing holds no more than an account may, and is gone in a minute', async (t) => {
  const clock = new FakeClock()
  const room = await jmapRoom(t, { clock })
  const socket = createConnection(room.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => undefined) // it is cut off in the middle
  const key = Buffer.alloc(16).toString('base64')
  socket.write(
    `GET /jmap/ws HTTP/1.1\r\nHost: x\r\nAuthorization: ${BASIC}\r\nUpgrade: websocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n` +
      'Sec-WebSocket-Protocol: jmap\r\n\r\n',
  )
  assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 101 /)
  socket.pause()
  const request = frame(JSON.stringify(echo('a', { long: 'x'.repeat(1_000_000) })))
  for (let at = 0; at < 40; at++) socket.write(request)
  const status = async (): Promise<number> => {
    const response = await room.fetch('/jmap/api', {
      method: 'POST',
      as: 'hanako',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ using: [CORE, MAIL], methodCalls: [] }),
    })
    await response.arrayBuffer()
    return response.status
  }
  // All places of the account are its own until it is found out.
  while ((await status()) !== 429) await setImmediate()
  const gone = new Promise((resolve) => socket.once('close', resolve))
  for (let at = 0; at < 3; at++) {
    clock.advance(30_000)
    await setImmediate()
  }
  while ((await status()) !== 200) await setImmediate()
  socket.resume()
  await gone
})

/** One masked text frame of RFC 6455 §5.2; a mask of noughts changes nothing. */
function frame(text: string): Buffer {
  const head = Buffer.alloc(14)
  head[0] = 0x81
  head[1] = 0xff
  head.writeBigUInt64BE(BigInt(text.length), 2)
  return Buffer.concat([head, Buffer.from(text)])
}
