import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import { TlsIdentity } from '#net/tls.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { connectionsLeft, endsWhileSlow, oneTooMany } from '#test/fake/line-strangers.ts'
import { ask, pop3Room } from '#test/fake/pop3-room.ts'

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

test('a login by single octets ends with the time for logins: line, SASL, endless USER', async (t) => {
  const clock = new FakeClock()
  const limits = { loginTimeoutMs: 90 * SECOND_MS, transferTimeoutMs: 60 * SECOND_MS }
  for (const [start, octet] of [
    ['USER ', 'x'],
    ['AUTH PLAIN\r\n', 'x'],
    ['', 'USER hanako\r\n'],
    ['', 'AUTH PLAIN =\r\n'],
  ] as const) {
    const { connect } = await pop3Room(t, { clock, limits })
    await endsWhileSlow(await connect(), clock, [start, octet])
  }
})

test('a line over 8 KiB is refused and dropped; one of 1,000 octets of password passes', async (t) => {
  const { connect, authenticator } = await pop3Room(t, { passwords: { hanako: 'か'.repeat(333) } })
  const client = await connect()
  for (const line of [`USER ${'x'.repeat(8_200)}`, `PASS ${'渡'.repeat(50_000)}`])
    assert.equal(await ask(client, line), '-ERR Line too long')
  assert.match(await ask(client, 'AUTH PLAIN'), /^\+ /)
  assert.match(await ask(client, 'A'.repeat(9_000)), /^-ERR/)
  assert.equal(authenticator.attempts.length, 0)
  await ask(client, 'USER hanako')
  assert.match(await ask(client, `PASS ${'か'.repeat(333)}`), /^\+OK/)
})

test('plain text between STLS and the handshake ends the connection, and is not obeyed', async (t) => {
  const identity = new TlsIdentity(await fakeCertificate())
  for (const together of [false, true]) {
    const { connect, authenticator } = await pop3Room(t, {
      allowPlaintext: false,
      identity: () => identity,
    })
    const client = await connect()
    if (together) client.send('STLS\r\n')
    else assert.match(await ask(client, 'STLS'), /^\+OK/)
    client.send(`AUTH PLAIN ${base64('\0hanako\0h')}\r\n`)
    if (together) assert.match(await client.line(), /^\+OK/)
    client.send('STAT\r\n')
    assert.doesNotMatch(await client.closed(), /\+OK|-ERR/)
    assert.equal(authenticator.attempts.length, 0)
  }
})

test('STLS is offered before TLS only, once, and only where there is a certificate', async (t) => {
  const { connect: bare } = await pop3Room(t)
  const without = await bare()
  assert.match(await ask(without, 'STLS'), /^-ERR/)
  const identity = new TlsIdentity(await fakeCertificate())
  const { connect } = await pop3Room(t, { identity: () => identity })
  const client = await connect()
  assert.match(await ask(client, 'STLS'), /^\+OK/)
  const inside = client.secured()
  assert.match(await ask(inside, 'STLS'), /^-ERR TLS is active already/)
  await ask(inside, 'USER hanako')
  await ask(inside, 'PASS h')
  assert.match(await ask(inside, 'STLS'), /^-ERR STLS is not allowed now/)
  inside.end()
})

test('what needs a login is refused before it, and too many such mistakes end the session', async (t) => {
  const { connect } = await pop3Room(t, { limits: { errorsMax: 6 } })
  const client = await connect()
  for (const line of ['STAT', 'LIST', 'RETR 1', 'DELE 1', 'TOP 1 0'])
    assert.equal(await ask(client, line), `-ERR ${line.split(' ')[0]} is not allowed now`)
  client.send('UIDL\r\nCAPA\r\n')
  assert.equal(await client.closed(), '-ERR UIDL is not allowed now\r\n')
})

test('who is one too many hears so, and holds nothing for long', async (t) => {
  const clock = new FakeClock()
  const { connect, login, listener, port } = await pop3Room(t, {
    clock,
    limits: { connectionsMax: 1 },
  })
  const inside = await login()
  const told = await oneTooMany({ port, listener, clock })
  assert.equal(told, '-ERR [SYS/TEMP] Too many connections\r\n')
  assert.match(await ask(inside, 'QUIT'), /^\+OK/)
  await inside.closed()
  inside.end()
  await connectionsLeft(listener, 0)
  assert.match(await ask(await connect(), 'CAPA'), /^\+OK/)
})
