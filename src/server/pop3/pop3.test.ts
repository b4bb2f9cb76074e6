import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { TlsIdentity } from '#net/tls.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { LineClient } from '#test/fake/line-client.ts'
import { ask, fill, many, pop3Room, uidsLeft } from '#test/fake/pop3-room.ts'

test('a session whose account may be in no longer ends', async (t) => {
  const clock = new FakeClock()
  const { authenticator, login } = await pop3Room(t, { clock })
  const client = await login()
  assert.match(await ask(client, 'NOOP'), /^\+OK/)
  authenticator.fallen.add('account-hanako' as AccountId)
  clock.advance(10 * SECOND_MS)
  await assert.rejects(client.line(), /connection ended/)
})

test('messages come as they are stored, dots stuffed, and go at QUIT (RFC 1939 §5)', async (t) => {
  const { store, login } = await pop3Room(t)
  const mails = [
    'Subject: =?UTF-8?B?5rih44KK?=\r\n\r\n渡り\r\n.\r\n..x\r\n',
    'X: 1\n\nbare LF\n.\nno end',
    'no header at all',
    '',
  ].map(fromUtf8)
  await fill(store, mails)
  const client = await login()
  const total = mails.reduce((sum, mail) => sum + mail.length, 0)
  assert.equal(await ask(client, 'STAT'), `+OK 4 ${total}`)
  assert.equal(
    await many(client, 'LIST'),
    mails.map((mail, i) => `${i + 1} ${mail.length}\r\n`).join('') + '.\r\n',
  )
  assert.equal(
    await many(client, 'RETR 1'),
    toLatin1(fromUtf8('Subject: =?UTF-8?B?5rih44KK?=\r\n\r\n渡り\r\n..\r\n...x\r\n.\r\n')),
  )
  assert.equal(await many(client, 'RETR 2'), 'X: 1\n\nbare LF\n..\nno end\r\n.\r\n')
  assert.equal(await many(client, 'RETR 4'), '.\r\n')
  assert.equal(
    await many(client, 'TOP 1 1'),
    toLatin1(fromUtf8('Subject: =?UTF-8?B?5rih44KK?=\r\n\r\n渡り\r\n.\r\n')),
  )
  assert.equal(await many(client, 'TOP 1 0'), 'Subject: =?UTF-8?B?5rih44KK?=\r\n\r\n.\r\n')
  const uidls = (await many(client, 'UIDL')).split('\r\n').slice(0, 4)
  assert.equal(new Set(uidls.map((line) => line.split(' ')[1])).size, 4)
  assert.equal(await ask(client, 'UIDL 3'), `+OK ${uidls[2]}`)

  assert.match(await ask(client, 'DELE 2'), /^\+OK/)
  assert.match(await ask(client, 'DELE 2'), /^-ERR/)
  assert.match(await ask(client, 'RETR 2'), /^-ERR/)
  assert.equal(await ask(client, 'STAT'), `+OK 3 ${total - mails[1]!.length}`)
  assert.match(await ask(client, 'RSET'), /^\+OK/)
  assert.match(await ask(client, 'LIST 2'), /^\+OK 2 /)
  await ask(client, 'DELE 1')
  await ask(client, 'DELE 3')
  assert.deepEqual(await uidsLeft(store), [1, 2, 3, 4])
  assert.match(await ask(client, 'QUIT'), /^\+OK/)
  assert.equal(await client.closed(), '')
  assert.deepEqual(await uidsLeft(store), [2, 4])
})

test('without QUIT nothing goes; one session at a time has the mailbox (RFC 2449 §8.1.1)', async (t) => {
  const { store, login, connect } = await pop3Room(t)
  await fill(store, [fromUtf8('A: b\r\n\r\nc\r\n')])
  const first = await login()
  const second = await connect()
  await ask(second, 'USER hanako')
  assert.match(await ask(second, 'PASS h'), /^-ERR \[IN-USE\]/)
  await ask(first, 'DELE 1')
  first.socket.end()
  await first.closed()
  first.end()
  // The server frees the mailbox when it has seen the end.
  for (;;) {
    await ask(second, 'USER hanako')
    if ((await ask(second, 'PASS h')).startsWith('+OK')) break
    await new Promise(setImmediate)
  }
  assert.match(await ask(second, 'STAT'), /^\+OK 1 /)
  assert.deepEqual(await uidsLeft(store), [1])
})

test('passwords are opaque octets to the end of the line', async (t) => {
  const passwords: Record<string, string> = {
    spaces: ' a  b ',
    amp: 'a&b"\\<',
    kana: 'ぱす　わーど',
    long: 'か'.repeat(333) + '!',
    one: 'x',
  }
  const { connect, authenticator } = await pop3Room(t, { passwords })
  for (const [name, password] of Object.entries(passwords)) {
    const client = await connect()
    await ask(client, `USER ${name}`)
    assert.match(await ask(client, `PASS ${password}`), /^\+OK/, name)
    await ask(client, 'QUIT')
    const plain = await connect()
    const response = Buffer.from(`\0${name}\0${password}`, 'utf8').toString('base64')
    assert.match(await ask(plain, `AUTH PLAIN ${response}`), /^\+OK/, name)
    await ask(plain, 'QUIT')
    const old = await connect()
    assert.match(await ask(old, 'AUTH LOGIN'), /^\+ /)
    assert.match(await ask(old, Buffer.from(name).toString('base64')), /^\+ /)
    assert.match(await ask(old, Buffer.from(password).toString('base64')), /^\+OK/, name)
    await ask(old, 'QUIT')
  }
  const client = await connect()
  const before = authenticator.attempts.length
  await ask(client, 'USER one')
  assert.match(await ask(client, 'PASS '), /^-ERR \[AUTH\]/)
  assert.match(await ask(client, 'PASS x'), /^-ERR USER comes first/)
  assert.equal(authenticator.attempts.length, before)
})

test('trouble of ours is [SYS/TEMP] (RFC 3206 §4)', async (t) => {
  const { store, authenticator, connect, login } = await pop3Room(t)
  await fill(store, [fromUtf8('A: b\r\n\r\nc\r\n')])
  const client = await connect()
  authenticator.fault = 'unavailable'
  await ask(client, 'USER hanako')
  assert.match(await ask(client, 'PASS h'), /^-ERR \[SYS\/TEMP\]/)
  authenticator.fault = undefined
  store.fault = new Fault('stalled', 'frozen')
  await ask(client, 'USER hanako')
  assert.match(await ask(client, 'PASS h'), /^-ERR \[SYS\/TEMP\]/)
  store.fault = undefined
  const other = await login()
  await ask(other, 'DELE 1')
  store.fault = new Fault('stalled', 'frozen')
  assert.match(await ask(other, 'QUIT'), /^-ERR \[SYS\/TEMP\]/)
  store.fault = undefined
  assert.deepEqual(await uidsLeft(store), [1])
})

test('before TLS passwords are refused; STLS forgets what was pipelined (RFC 2595 §4)', async (t) => {
  const identity = new TlsIdentity(await fakeCertificate())
  const { connect, authenticator } = await pop3Room(t, {
    allowPlaintext: false,
    identity: () => identity,
  })
  const client = await connect()
  const offered = await many(client, 'CAPA')
  assert.match(offered, /STLS/)
  assert.doesNotMatch(offered, /^(?:SASL|USER)/m)
  assert.match(await ask(client, 'USER hanako'), /^-ERR/)
  assert.match(
    await ask(client, `AUTH PLAIN ${Buffer.from('\0hanako\0h').toString('base64')}`),
    /^-ERR/,
  )
  client.send('STLS\r\nUSER injected\r\n')
  assert.match(await client.line(), /^\+OK/)
  const inside = client.secured()
  assert.match(await ask(inside, 'PASS h'), /^-ERR USER comes first/)
  assert.match(await many(inside, 'CAPA'), /SASL PLAIN LOGIN/)
  await ask(inside, 'USER hanako')
  assert.match(await ask(inside, 'PASS h'), /^\+OK/)
  assert.deepEqual(
    authenticator.attempts.map(({ login }) => login),
    ['hanako'],
  )
  inside.end()
})

test('large messages come in pieces; pipelined commands are answered in order', async (t) => {
  const { store, login } = await pop3Room(t)
  const body = '.渡り鳥が渡る\r\n'.repeat(40_000)
  const mail = fromUtf8(`Subject: x\r\n\r\n${body}`)
  await fill(store, [mail])
  const client = await login()
  client.send('STAT\r\nRETR 1\r\nNOOP\r\nTOP 1 2\r\n')
  assert.equal(await client.line(), `+OK 1 ${mail.length}`)
  assert.equal(await client.line(), `+OK ${mail.length} octets`)
  const retrieved = await client.until((text) => {
    const end = text.indexOf('\r\n.\r\n')
    return end < 0 ? 0 : end + 5
  })
  assert.equal(retrieved.slice(0, -3).replace(/^\.\./gm, '.'), toLatin1(mail))
  assert.match(await client.line(), /^\+OK Done/)
  assert.match(await client.line(), /^\+OK/)
})

test('limits: errors, logins, connections, time', async (t) => {
  const clock = new FakeClock()
  const { connect, login, port } = await pop3Room(t, {
    clock,
    passwords: { hanako: 'h', taro: 'h', jiro: 'h', saburo: 'h' },
    limits: {
      errorsMax: 3,
      loginFailuresMax: 2,
      connectionsPerIpMax: 4,
      idleTimeoutMs: 1_000,
      loginTimeoutMs: 500,
    },
  })
  const wrong = await connect()
  for (let i = 0; i < 3; i++) assert.match(await ask(wrong, 'NONSENSE'), /^-ERR Unknown/)
  await wrong.closed()
  const guess = await connect()
  for (let i = 0; i < 2; i++) {
    await ask(guess, 'USER hanako')
    assert.match(await ask(guess, 'PASS no'), /^-ERR \[AUTH\]/)
  }
  await guess.closed()
  wrong.end()
  guess.end()
  const long = await connect()
  assert.match(await ask(long, `PASS ${'a'.repeat(9_000)}`), /^-ERR Line too long/)
  clock.advance(501)
  assert.equal(await long.closed(), '')
  long.end()
  const idle = await login()
  assert.match(await ask(idle, 'USER x'), /^-ERR USER is not allowed now/)
  clock.advance(1_001)
  assert.equal(await idle.closed(), '')
  idle.end()
  for (const name of ['hanako', 'taro', 'jiro', 'saburo']) {
    const client = await connect()
    await ask(client, `USER ${name}`)
    assert.match(await ask(client, 'PASS h'), /^\+OK/)
  }
  const fifth = LineClient.plain(port)
  assert.equal(await fifth.line(), '-ERR [SYS/TEMP] Too many connections')
  fifth.end()
})

test('half-open logins keep nobody out: the oldest of them end', async (t) => {
  const { connect, login, port } = await pop3Room(t, { limits: { connectionsPerIpMax: 10 } })
  const flood: LineClient[] = []
  for (let n = 0; n < 30; n++) {
    const client = LineClient.plain(port)
    flood.push(client)
    await client.line()
    client.send('USER 花子\r\n')
  }
  const person = await login()
  await connect()
  assert.match(await ask(person, 'STAT'), /^\+OK/)
  while (flood.filter(({ ended }) => !ended).length > 5) await new Promise(setImmediate)
  assert.ok(flood.slice(0, 25).every(({ ended }) => ended))
  for (const client of flood) client.end()
})

test('a damaged message costs no other: RETR says that asking again is no use (RFC 3206 §4)', async (t) => {
  const { store, login } = await pop3Room(t)
  const mails = [1, 2, 3].map((n) => fromUtf8(`Subject: ${n}\r\n\r\n渡りその${n}。\r\n`))
  await fill(store, mails)
  store.blobs.rot('content', '渡りその2。')
  const client = await login()
  assert.match(await ask(client, 'RETR 2'), /^-ERR \[SYS\/PERM\] The message is damaged/)
  assert.match(await ask(client, 'TOP 2 1'), /^-ERR \[SYS\/PERM\]/)
  for (const n of [1, 3])
    assert.equal(await many(client, `RETR ${n}`), `${toLatin1(mails[n - 1]!)}.\r\n`)
  assert.match(await ask(client, 'DELE 2'), /^\+OK/)
  assert.match(await ask(client, 'QUIT'), /^\+OK/)
  assert.deepEqual(await uidsLeft(store), [1, 3])
})
