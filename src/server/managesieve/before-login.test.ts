import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import { TlsIdentity } from '#net/tls.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { endsWhileSlow, oneTooMany } from '#test/fake/line-strangers.ts'
import {
  answer,
  ask,
  askData,
  literal,
  manageSieveRoom,
  plain,
  said,
} from '#test/fake/managesieve-room.ts'

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

test('PLAIN and LOGIN, with and without initial response, quoted and literal (RFC 5804 §2.1)', async (t) => {
  const { connect, authenticator } = await manageSieveRoom(t, {
    passwords: { 花子: 'パス "\\ワード' },
  })
  const exchange = async (...strings: string[]): Promise<string> => {
    const client = await connect()
    for (const string of strings.slice(0, -1)) {
      client.send(`${string}\r\n`)
      await client.line()
    }
    const end = await ask(client, strings.at(-1)!)
    client.end()
    return end
  }
  const response = plain('花子', 'パス "\\ワード')
  const [name, password] = [base64('花子'), base64('パス "\\ワード')]
  for (const strings of [
    [`AUTHENTICATE "PLAIN" "${response}"`],
    [`AUTHENTICATE "plain" ${literal(response)}`],
    ['AUTHENTICATE "PLAIN"', `"${response}"`],
    ['AUTHENTICATE {5+}\r\nPLAIN', literal(response)],
    ['AUTHENTICATE "LOGIN"', `"${name}"`, literal(password)],
    [`AUTHENTICATE "LOGIN" "${name}"`, `"${password}"`],
    [`AUTHENTICATE "PLAIN" "${plain('花子', 'パス "\\ワード', '花子')}"`],
  ])
    assert.equal(await exchange(...strings), 'OK Logged in', strings.join(' / '))
  const attempts = authenticator.attempts.length
  for (const [strings, end] of [
    [
      [`AUTHENTICATE "PLAIN" "${plain('花子', 'パス "\\ワード', '太郎')}"`],
      'NO Log in as yourself',
    ],
    [['AUTHENTICATE "PLAIN"', '"*"'], 'NO authentication cancelled'],
    [['AUTHENTICATE "PLAIN" "?"'], 'NO cannot decode base64'],
    [['AUTHENTICATE "PLAIN" ""'], 'NO malformed PLAIN message'],
    [['AUTHENTICATE "PLAIN"', 'NOOP'], 'NO No response'],
    [['AUTHENTICATE "KERBEROS"'], 'NO Unknown mechanism'],
    [['AUTHENTICATE "CRAM-MD5"'], 'NO (AUTH-TOO-WEAK) This mechanism is too weak'],
    [[`AUTHENTICATE "PLAIN" "${plain('花子', '')}"`], 'NO Wrong user name or password'],
    [[`AUTHENTICATE "PLAIN" "${plain('花子', 'a\nb')}"`], 'NO Wrong user name or password'],
  ] as const)
    assert.equal(await exchange(...strings), end, strings.join(' / '))
  assert.match(await exchange('AUTHENTICATE "SCRAM-SHA-256"'), /^NO \(TRANSITION-NEEDED\)/)
  assert.equal(authenticator.attempts.length, attempts, 'none of these was a guess')
})

test('who guesses is slowed and then cut off', async (t) => {
  const { connect } = await manageSieveRoom(t, { limits: { loginFailuresMax: 3 } })
  const client = await connect()
  const guess = `AUTHENTICATE "PLAIN" "${plain('hanako', 'x')}"\r\n`
  client.send(guess.repeat(4))
  const no = 'NO "Wrong user name or password"\r\n'
  assert.equal(await client.closed(), `${no.repeat(3)}BYE "Too many failed logins"\r\n`)
})

test('passwords are taken inside TLS only; STARTTLS tells the capabilities anew (RFC 5804 §2.2)', async (t) => {
  const identity = new TlsIdentity(await fakeCertificate())
  const { connect } = await manageSieveRoom(t, { allowPlaintext: false, identity: () => identity })
  const client = await connect()
  const before = await askData(client, 'CAPABILITY')
  assert.ok(before.some(([name]) => name === 'STARTTLS'))
  assert.deepEqual(
    before.find(([name]) => name === 'SASL'),
    ['SASL', ''],
  )
  const login = `AUTHENTICATE "PLAIN" "${plain('hanako', 'h')}"`
  assert.match(await ask(client, login), /^NO \(ENCRYPT-NEEDED\)/)
  assert.equal(await ask(client, 'STARTTLS'), 'OK Begin TLS negotiation now')
  const inside = client.secured()
  const { data, response } = await answer(inside)
  assert.equal(response.kind, 'OK')
  assert.ok(!data.some(([name]) => name === 'STARTTLS'))
  assert.deepEqual(
    data.find(([name]) => name === 'SASL'),
    ['SASL', 'PLAIN LOGIN'],
  )
  assert.equal(await ask(inside, 'STARTTLS'), 'NO TLS is active already')
  assert.equal(await ask(inside, login), 'OK Logged in')
  assert.equal(await ask(inside, 'STARTTLS'), 'NO STARTTLS is for before a login')
  assert.equal(await ask(inside, 'UNAUTHENTICATE'), 'OK Log in again')
  assert.equal(await ask(inside, 'STARTTLS'), 'NO TLS is active already')
  inside.end()
})

test('plain text between STARTTLS and the handshake ends the connection, and is not obeyed', async (t) => {
  const identity = new TlsIdentity(await fakeCertificate())
  for (const together of [false, true]) {
    const { connect, authenticator } = await manageSieveRoom(t, { identity: () => identity })
    const client = await connect()
    if (together) client.send('STARTTLS\r\n')
    else assert.match(await ask(client, 'STARTTLS'), /^OK/)
    client.send(`AUTHENTICATE "PLAIN" "${plain('hanako', 'h')}"\r\n`)
    if (together) assert.match(await client.line(), /^OK/)
    client.send('LISTSCRIPTS\r\n')
    assert.doesNotMatch(await client.closed(), /OK|NO/)
    assert.equal(authenticator.attempts.length, 0)
  }
})

test('a login by single octets ends with the time for logins: line, literal, SASL, endless NOOP', async (t) => {
  const clock = new FakeClock()
  const limits = { loginTimeoutMs: 90 * SECOND_MS, transferTimeoutMs: 60 * SECOND_MS }
  for (const [start, octet] of [
    ['NOOP "', 'x'],
    ['AUTHENTICATE "PLAIN" {8000+}\r\n', 'x'],
    ['AUTHENTICATE "PLAIN"\r\n', 'x'],
    ['', 'NOOP\r\n'],
  ] as const) {
    const { connect } = await manageSieveRoom(t, { clock, limits })
    await endsWhileSlow(await connect(), clock, [start, octet])
  }
})

test('a stranger may say little: long lines and literals end the connection', async (t) => {
  const { connect, authenticator } = await manageSieveRoom(t)
  for (const [text, last] of [
    [`NOOP "${'x'.repeat(9_000)}"\r\n`, 'BYE That is too long'],
    ['PUTSCRIPT "a" {1000000+}\r\n', 'BYE That is too long'],
    ['NOOP {0+}\r\n {0+}\r\n'.repeat(9), 'BYE That is too long'],
    ['NOOP {3}\r\n', 'BYE A literal is announced with a +, as {5+}'],
  ] as const) {
    const client = await connect()
    client.send(text)
    assert.equal(said((await answer(client)).response), last)
    await client.closed()
  }
  assert.equal(authenticator.attempts.length, 0)
})

test('too many mistakes end the session; what is malformed is no command, literal and all', async (t) => {
  const { connect } = await manageSieveRoom(t, { limits: { errorsMax: 4 } })
  const client = await connect()
  assert.equal(await ask(client, 'HELLO'), 'NO Unknown command')
  assert.equal(await ask(client, 'NOOP "a" {8+}\r\nLOGOUT\r\n'), 'NO NOOP: too many arguments')
  assert.equal(await ask(client, 'NOOP "a {8+}\r\nLOGOUT\r\n'), 'NO a string never ends')
  assert.equal(await ask(client, ''), 'NO Unknown command')
  assert.equal(said((await answer(client)).response), 'BYE Too many mistakes')
})

test('who is one too many hears so, and holds nothing for long', async (t) => {
  const clock = new FakeClock()
  const { login, listener, port } = await manageSieveRoom(t, {
    clock,
    limits: { connectionsMax: 1 },
  })
  const inside = await login()
  const told = await oneTooMany({ port, listener, clock })
  assert.equal(told, 'BYE (TRYLATER) "Too many connections"\r\n')
  assert.equal(await ask(inside, 'LOGOUT'), 'OK Bye')
})
