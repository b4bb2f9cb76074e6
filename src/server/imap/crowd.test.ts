import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import type { ImapRoomUnderTest } from '#test/fake/imap-room.ts'
import { LineClient } from '#test/fake/line-client.ts'

const BYE = '* BYE [LIMIT] Too many connections\r\n'

async function connections(room: ImapRoomUnderTest, count: number): Promise<void> {
  while (room.listener.connections() !== count) await new Promise(setImmediate)
}

test('connections over the limit in all hear BYE, and a place that is given back is taken', async (t) => {
  const room = await imapRoom(t, { limits: { connectionsMax: 2 } })
  const first = await room.login()
  const second = await room.login()
  const third = LineClient.plain(room.port)
  assert.equal(await third.closed(), BYE)
  third.end()
  await second.command('LOGOUT')
  await second.closed()
  second.end()
  await connections(room, 1)
  const fourth = await room.connect()
  assert.match(await fourth.command('NOOP'), /^OK/)
  assert.match(await first.command('NOOP'), /^OK/)
})

test('who is refused and does not end holds nothing for long', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock, limits: { connectionsMax: 1 } })
  const inside = await room.login()
  const stubborn = Array.from({ length: 20 }, () => {
    const socket = connect({ host: '127.0.0.1', port: room.port, allowHalfOpen: true })
    return new LineClient(socket)
  })
  for (const client of stubborn) {
    client.send('a LOGIN taro taro\r\n')
    assert.equal(await client.closed(), BYE)
  }
  clock.advance(2 * SECOND_MS)
  await connections(room, 1)
  assert.match(await inside.command('NOOP'), /^OK/)
  assert.equal(room.authenticator.attempts.length, 1)
  for (const client of stubborn) client.end()
})

test('a port of implicit TLS cuts off who is too many', async (t) => {
  const room = await imapRoom(t, {
    tls: 'implicit',
    withTls: true,
    limits: { connectionsPerIpMax: 1 },
  })
  const inside = await room.login()
  const outside = LineClient.plain(room.port)
  assert.equal(await outside.closed(), '')
  assert.match(await inside.command('NOOP'), /^OK/)
})

test('wrong commands are counted over a login, and BYE follows the last answer', async (t) => {
  const room = await imapRoom(t, { limits: { errorsMax: 4 } })
  const client = await room.connect()
  for (let i = 0; i < 2; i++) assert.match(await client.command('NONSENSE'), /^BAD/)
  assert.match(await client.command('LOGIN taro taro'), /^OK/)
  assert.match(await client.command('FETCH 1 FLAGS'), /^BAD/)
  client.send('x NONSENSE\r\ny CREATE 渡り\r\n')
  assert.match(await client.closed(), /^x BAD [^\r]*\r\n\* BYE Too many errors\r\n$/)
})

test('half-open logins by the hundred keep nobody out: the oldest of them end', async (t) => {
  const room = await imapRoom(t, { limits: { connectionsPerIpMax: 40, connectionsMax: 1_000 } })
  const inside = await room.login()
  const flood: LineClient[] = []
  for (let n = 0; n < 100; n++) {
    const client = LineClient.plain(room.port)
    flood.push(client)
    await client.line()
    if (n % 3 === 0) client.send('a LOGIN 花子 {8}\r\n')
  }
  const person = await room.login('taro')
  assert.match(await person.command('SELECT INBOX'), /OK/)
  assert.match(await inside.command('NOOP'), /^OK/)
  while (flood.filter(({ ended }) => !ended).length > 20) await new Promise(setImmediate)
  assert.ok(flood.slice(0, 80).every(({ ended }) => ended))
  await person.command('UNAUTHENTICATE')
  assert.match(await person.command('LOGIN taro taro'), /^OK/, 'a stranger in between')
  for (const client of flood) client.end()
})
