import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import { LineClient } from '#test/fake/line-client.ts'

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

test('passwords are opaque octets, however they come', async (t) => {
  const passwords: Record<string, string> = {
    amp: 'a&b&amp;<"\\',
    kana: 'ぱすわーど　鳥',
    space: ' lead and trail ',
    one: 'x',
    long: 'か'.repeat(333) + '!',
  }
  const room = await imapRoom(t, { passwords })
  for (const [login, password] of Object.entries(passwords)) {
    const octets = fromUtf8(password)
    const literal = await room.connect()
    assert.match(await literal.command(`LOGIN ${login} {${octets.length}+}\r\n${password}`), /^OK/)
    const quoted = await room.connect()
    const escaped = password.replace(/["\\]/g, String.raw`\$&`)
    assert.match(await quoted.command(`LOGIN "${login}" "${escaped}"`), /^OK/)
    const waiting = await room.connect()
    waiting.send(`w LOGIN ${login} {${octets.length}}\r\n`)
    assert.match(await waiting.line(), /^\+ /)
    waiting.send(`${password}\r\n`)
    assert.match(await waiting.line(), /^w OK/)
    const initial = await room.connect()
    const plain = base64(`\0${login}\0${password}`)
    assert.match(await initial.command(`AUTHENTICATE PLAIN ${plain}`), /^OK/)
    const asked = await room.connect()
    asked.send('p AUTHENTICATE PLAIN\r\n')
    assert.equal(await asked.line(), '+ ')
    asked.send(`${plain}\r\n`)
    assert.match(await asked.line(), /^p OK/)
    const old = await room.connect()
    old.send('o AUTHENTICATE LOGIN\r\n')
    assert.match(await old.line(), /^\+ /)
    old.send(`${base64(login)}\r\n`)
    assert.match(await old.line(), /^\+ /)
    old.send(`${base64(password)}\r\n`)
    assert.match(await old.line(), /^o OK/)
    for (const client of [literal, quoted, waiting, initial, asked, old]) client.end()
  }
  assert.equal(room.authenticator.attempts.length, 30)
})

test('a wrong password, an absent one and our own trouble are told apart (RFC 5530 §3)', async (t) => {
  const room = await imapRoom(t, { limits: { loginFailuresMax: 4 } })
  const client = await room.connect()
  assert.match(await client.command('LOGIN hanako wrong'), /^NO \[AUTHENTICATIONFAILED\]/)
  const before = room.authenticator.attempts.length
  assert.match(await client.command('LOGIN hanako ""'), /^NO \[AUTHENTICATIONFAILED\]/)
  assert.equal(room.authenticator.attempts.length, before, 'an empty one is not asked')
  room.authenticator.fault = 'unavailable'
  assert.match(await client.command('LOGIN taro taro'), /^NO \[UNAVAILABLE\]/)
  room.authenticator.fault = 'slowed'
  assert.match(await client.command('LOGIN taro taro'), /^NO \[UNAVAILABLE\]/)
  room.authenticator.fault = undefined
  assert.match(await client.command('AUTHENTICATE PLAIN !!!'), /^BAD/)
  client.send('c AUTHENTICATE PLAIN\r\n*\r\n')
  assert.match(await client.response((line) => line.startsWith('c ')), /c BAD/)
  assert.match(await client.command('AUTHENTICATE CRAM-MD5'), /^NO/)
  await client.command('LOGIN hanako wrong')
  assert.match(await client.command('LOGIN hanako wrong'), /^NO \[AUTHENTICATIONFAILED\]/)
  assert.match(await client.closed(), /^\* BYE Too many failed logins/)
})

test('before TLS passwords are refused, and STARTTLS forgets what was pipelined', async (t) => {
  const room = await imapRoom(t, { allowPlaintext: false, withTls: true })
  const client = await room.connect()
  const offered = await client.command('CAPABILITY')
  assert.match(offered, / STARTTLS.* LOGINDISABLED/)
  assert.doesNotMatch(offered, /AUTH=/)
  assert.match(await client.command('LOGIN taro taro'), /^NO \[PRIVACYREQUIRED\]/)
  assert.match(await client.command(`AUTHENTICATE PLAIN ${base64('\0taro\0taro')}`), /^NO/)
  assert.equal(room.authenticator.attempts.length, 0)

  client.send('s STARTTLS\r\ni LOGIN injected x\r\n')
  assert.match(await client.line(), /^s OK/)
  const inside = client.secured()
  assert.match(await inside.command('CAPABILITY'), /AUTH=PLAIN AUTH=LOGIN/)
  assert.match(await inside.command('LOGIN taro taro'), /^OK/)
  assert.deepEqual(
    room.authenticator.attempts.map(({ login }) => login),
    ['taro'],
  )
  assert.match(await inside.command('STARTTLS'), /^BAD/)
  inside.end()
})

test('a listener may take passwords without TLS from some addresses only', async (t) => {
  const asked: string[] = []
  const room = await imapRoom(t, {
    allowPlaintext: (ip) => {
      asked.push(ip)
      return asked.length > 1
    },
  })
  const first = await room.connect()
  assert.match(await first.command('LOGIN taro taro'), /^NO \[PRIVACYREQUIRED\]/)
  const second = await room.connect()
  assert.match(await second.command('LOGIN taro taro'), /^OK/)
  assert.deepEqual(asked, ['127.0.0.1', '127.0.0.1'])
})

test('implicit TLS, and IPv6', async (t) => {
  const room = await imapRoom(t, { tls: 'implicit', withTls: true, allowPlaintext: false })
  const client = await room.login('taro')
  assert.match(await client.command('NOOP'), /^OK/)
  const six = await imapRoom(t, { listen: { address: '::1', port: 0 } }).catch(() => undefined)
  if (six === undefined) return t.diagnostic('no ::1 here')
  const other = LineClient.plain(six.port, '::1')
  assert.match(await other.line(), /^\* OK \[CAPABILITY IMAP4rev1 /)
  assert.match(await other.command('LOGIN taro taro'), /^OK/)
  assert.equal(six.authenticator.attempts[0]?.ip, '::1')
  other.end()
})

test('each capability that is offered is one that works; states are kept', async (t) => {
  const room = await imapRoom(t)
  const client = await room.connect()
  assert.match(await client.command('ID NIL'), /^\* ID \("name" "Watari"\)\r\nOK/)
  assert.match(await client.command('SELECT INBOX'), /^BAD SELECT is not allowed now/)
  assert.match(await client.command('LOGIN taro taro'), /^OK \[CAPABILITY IMAP4rev1 .*CONDSTORE/)
  assert.match(await client.command('LOGIN taro taro'), /^BAD/)
  assert.match(await client.command('ENABLE CONDSTORE X-NONE'), /^\* ENABLED CONDSTORE\r\nOK/)
  assert.match(await client.command('FETCH 1 FLAGS'), /^BAD/)
  assert.match(
    await client.command('NAMESPACE'),
    /^\* NAMESPACE \(\("" "\/"\)\) \(\("Other Users\/" "\/"\)\) \(\("Shared\/" "\/"\)\)/,
  )
  assert.match(await client.command('LOGOUT'), /^\* BYE .*\r\nOK/)
  assert.equal(await client.closed(), '')
})

test('limits: lines, literals, errors', async (t) => {
  const room = await imapRoom(t, { limits: { errorsMax: 4 } })
  const long = await room.connect()
  assert.match(await sent(long, `x NOOP ${'a'.repeat(9_000)}\r\n`), /^\* BAD Command line too long/)
  long.send('y LOGIN taro {5000}\r\n')
  assert.match(await long.line(), /^y BAD \[TOOBIG\]/)
  assert.match(await long.command('NOOP'), /^OK/)
  long.send('z LOGIN taro {4294967295+}\r\n')
  assert.match(await long.closed(), /^\* BYE \[TOOBIG\]/)

  const wrong = await room.connect()
  for (let i = 0; i < 3; i++) assert.match(await wrong.command('NONSENSE'), /^BAD Unknown command/)
  wrong.send('\r\n')
  assert.match(await wrong.closed(), /^\* BAD .*\r\n\* BYE Too many errors\r\n$/)

  const logged = await room.login()
  assert.match(await logged.command(`NOOP${' '.repeat(60_000)}`), /^OK/)
  assert.match(await sent(logged, `x NOOP ${'a'.repeat(66_000)}\r\n`), /^\* BAD/)
  assert.match(await logged.command(`SEARCH ${'('.repeat(500)}`), /^BAD/)
  // Who gets things done may err now and then.
  for (let i = 0; i < 6; i++) {
    assert.match(await logged.command('NONSENSE'), /^BAD/)
    assert.match(await logged.command('STATUS INBOX (MESSAGES)'), /\r\nOK/)
  }
})

const sent = (client: LineClient, text: string): Promise<string> => {
  client.send(text)
  return client.line()
}

test('limits: connections of one account, of one address, and in all', async (t) => {
  const room = await imapRoom(t, {
    limits: { connectionsPerAccountMax: 2, connectionsPerIpMax: 4, connectionsMax: 100 },
  })
  const first = await room.login()
  const second = await room.login()
  const third = await room.connect()
  assert.match(
    await third.command(`AUTHENTICATE PLAIN ${base64('\0hanako\0渡り 鳥&"1')}`),
    /^NO \[LIMIT\]/,
  )
  assert.match(await third.command('LOGIN taro taro'), /^OK/)
  await room.login('taro')
  const fifth = LineClient.plain(room.port)
  assert.match(await fifth.closed(), /^\* BYE \[LIMIT\] Too many connections/)
  await first.command('LOGOUT')
  await first.closed()
  first.end()
  assert.match(await second.command('NOOP'), /^OK/)
})

test('who does not log in, and who idles, is told good-bye', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock, limits: { loginTimeoutMs: 1_000, idleTimeoutMs: 5_000 } })
  const silent = await room.connect()
  clock.advance(1_001)
  assert.match(await silent.closed(), /^\* BYE Log in sooner/)
  const idle = await room.login()
  await idle.command('NOOP')
  clock.advance(4_999)
  await idle.command('NOOP')
  clock.advance(5_001)
  assert.match(await idle.closed(), /^\* BYE Autologout/)
})

test('storage that does not answer is NO [UNAVAILABLE], and the session goes on', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  await client.command('SELECT INBOX')
  room.store.fault = new Fault('stalled', 'frozen')
  for (const command of ['LIST "" *', 'STATUS INBOX (MESSAGES)', 'EXPUNGE', 'NOOP', 'SELECT Sent'])
    assert.match(await client.command(command), /NO \[UNAVAILABLE\] Storage/, command)
  room.store.fault = undefined
  assert.match(await client.command('SELECT INBOX'), /OK \[READ-WRITE\]/)
})

test('shutdown says BYE to those who wait', async (t) => {
  const room = await imapRoom(t)
  const waiting = await room.login()
  const idle = await room.login('taro')
  await idle.command('SELECT INBOX')
  idle.send('i IDLE\r\n')
  await idle.line()
  const closing = room.listener.close(20_000)
  assert.match(await waiting.closed(), /^\* BYE Server shuts down/)
  assert.match(await idle.closed(), /\* BYE Server shuts down/)
  waiting.end()
  idle.end()
  await closing
  assert.equal(room.listener.connections(), 0)
})

test('commands may come octet by octet and many at once', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  const all = fromUtf8('1 NOOP\r\n2 CREATE {6+}\r\n議事\r\n3 LIST "" "&i3BOiw-"\r\n4 LOGOUT\r\n')
  client.socket.setNoDelay(true)
  for (const octet of all) {
    client.send(Uint8Array.of(octet))
    await new Promise(setImmediate)
  }
  const answer = await client.closed()
  assert.match(
    answer,
    /^1 OK .*\r\n2 OK \[MAILBOXID \(\w+\)\] Created\r\n\* LIST \(\\HasNoChildren\) "\/" &i3BOiw-\r\n3 OK/,
  )
})

test('what is whole is answered while half a command, or half a literal, has come', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  for (const half of ['b NO', 'b', 'b APPEND INBOX {2', 'b APPEND INBOX {9+}\r\nSubj']) {
    client.send(`a NOOP\r\n${half}`)
    assert.match(await client.line(), /^a OK/)
    client.send(
      half.includes('Subj') ? 'ect: \r\n' : half.includes('{') ? '+}\r\n\n\n\r\n' : ' NOOP\r\n',
    )
    assert.match(await client.response((line) => line.startsWith('b')), /(OK|BAD).*\r\n$/)
  }
})

test('where JMAP is to be had is told to who has logged in, where it is set (RFC 9698)', async (t) => {
  let url: string | undefined
  const room = await imapRoom(t, { jmapUrl: () => url })
  const client = await room.login()
  assert.doesNotMatch(await client.command('CAPABILITY'), /JMAPACCESS/)
  assert.match(await client.command('GETJMAPACCESS'), /^NO \[UNAVAILABLE\]/)
  url = 'https://mail.campus.example/.well-known/jmap'
  assert.match(await client.command('CAPABILITY'), / JMAPACCESS /)
  assert.equal(await client.command('GETJMAPACCESS'), `* JMAPACCESS "${url}"\r\nOK Done\r\n`)
  const stranger = await room.connect()
  assert.doesNotMatch(await stranger.command('CAPABILITY'), /JMAPACCESS/)
  assert.match(await stranger.command('GETJMAPACCESS'), /^BAD/)
})
