import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import { LineClient } from '#test/fake/line-client.ts'

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

/** Sends `octet` again and again, a second each, until the server has ended. */
async function trickle(client: LineClient, clock: FakeClock, octet: string): Promise<number> {
  let sent = 0
  for (; !client.ended && sent < 1_000; sent++) {
    client.send(octet)
    await new Promise((resolve) => setTimeout(resolve, 2)) // the octet's way through the kernel
    clock.advance(SECOND_MS)
  }
  return sent
}

test('a login by single octets ends with the time for logins: line, literal, SASL', async (t) => {
  const clock = new FakeClock()
  const limits = { loginTimeoutMs: 90 * SECOND_MS, transferTimeoutMs: 60 * SECOND_MS }
  for (const [start, octet] of [
    ['a LOGIN ', 'x'],
    ['a LOGIN {4000}\r\n', 'x'],
    ['a LOGIN {4000+}\r\n', 'x'],
    ['a AUTHENTICATE PLAIN\r\n', 'x'],
    ['a LOGIN {0+}\r\n', '{0+}\r\n'],
    ['', 'a NOOP\r\n'],
  ] as const) {
    const room = await imapRoom(t, { clock, limits })
    const client = await room.connect()
    client.send(start)
    const sent = await trickle(client, clock, octet)
    assert.ok(sent < 1_000, `${start} is still open after ${sent} s`)
    assert.match(await client.closed(), /\* BYE Log in sooner\r\n$/)
    client.end()
  }
})

test('before login a line has 8 KiB and a literal 4 KiB, and more is read by nobody', async (t) => {
  const room = await imapRoom(t)
  const client = await room.connect()
  assert.match(await client.command(`NOOP${' '.repeat(8_180)}`), /^OK/)
  client.send(`a LOGIN ${'x'.repeat(100_000)}\r\n`)
  assert.match(await client.line(), /^\* BAD Command line too long/)
  client.send('b LOGIN {4097}\r\n')
  assert.match(await client.line(), /^b BAD \[TOOBIG\]/)
  client.send('c LOGIN {4096}\r\n')
  assert.match(await client.line(), /^\+ /)
  client.send(`${'x'.repeat(4_096)} {4096}\r\n`)
  assert.match(await client.line(), /^c BAD \[TOOBIG\]/, 'all literals together stay below 8 KiB')
  client.send(`d AUTHENTICATE PLAIN\r\n`)
  await client.line()
  client.send(`${'A'.repeat(9_000)}\r\n`)
  assert.match(await client.line(), /^d BAD/)
  assert.match(await client.command('LOGIN taro taro'), /^OK/)
  for (const [announced, answer] of [
    ['{4097+}', /^\* BYE \[TOOBIG\]/],
    ['{18446744073709551616+}', /^\* BYE \[TOOBIG\]|^e BAD/],
  ] as const) {
    const flood = await room.connect()
    flood.send(`e LOGIN taro ${announced}\r\n`)
    assert.match(await flood.line(), answer, announced)
  }
  assert.equal(room.authenticator.attempts.length, 1)
})

test('APPEND before login is a command like others: no message is read', async (t) => {
  const room = await imapRoom(t)
  const client = await room.connect()
  client.send('a APPEND INBOX {50000000}\r\n')
  assert.match(await client.line(), /^a BAD \[TOOBIG\]/)
  client.send('b APPEND INBOX {3+}\r\nabc\r\n')
  assert.match(await client.line(), /^b BAD/)
  assert.match(await client.command('NOOP'), /^OK/)
})

test('plain text between STARTTLS and the handshake ends the connection, and is not obeyed', async (t) => {
  for (const together of [false, true]) {
    const room = await imapRoom(t, { allowPlaintext: false, withTls: true })
    const client = await room.connect()
    if (together) client.send('s STARTTLS\r\n')
    else assert.match(await client.command('STARTTLS'), /^OK/)
    client.send(`i AUTHENTICATE PLAIN ${base64('\0taro\0taro')}\r\n`)
    if (together) assert.match(await client.line(), /^s OK/)
    client.send('j SELECT INBOX\r\n')
    // What comes back is a TLS alert or nothing: no line of IMAP.
    assert.doesNotMatch(await client.closed(), /[ij] (?:OK|NO|BAD)/)
    assert.equal(room.authenticator.attempts.length, 0)
  }
})

test('STARTTLS is offered before TLS only, once, and only where there is a certificate', async (t) => {
  const without = await imapRoom(t)
  const bare = await without.connect()
  assert.doesNotMatch(await bare.command('CAPABILITY'), /STARTTLS/)
  assert.match(await bare.command('STARTTLS'), /^(?:BAD|NO)/)
  const room = await imapRoom(t, { withTls: true })
  const client = await room.connect()
  await client.command('STARTTLS')
  const inside = client.secured()
  assert.doesNotMatch(await inside.command('CAPABILITY'), /STARTTLS|LOGINDISABLED/)
  assert.match(await inside.command('STARTTLS'), /^BAD/)
  assert.match(await inside.command('LOGIN taro taro'), /^OK/)
  assert.match(await inside.command('STARTTLS'), /^BAD/)
  inside.end()
})

test('an implicit TLS port ends who speaks plain text, and who is silent, without a word', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { tls: 'implicit', withTls: true, clock: clock satisfies Clock })
  const plain = LineClient.plain(room.port)
  plain.send('a LOGIN taro taro\r\n')
  assert.doesNotMatch(await plain.closed(), /OK|BAD|NO/)
  const silent = LineClient.plain(room.port)
  while (room.listener.connections() === 0) await new Promise(setImmediate)
  clock.advance(31 * SECOND_MS)
  assert.equal(await silent.closed(), '')
  assert.equal(room.authenticator.attempts.length, 0)
})
