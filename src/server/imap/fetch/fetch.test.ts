import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import { LineClient } from '#test/fake/line-client.ts'

const crlf = (text: string): string => text.replaceAll('\n', '\r\n')

const inner = crlf(`From: taro@campus.example
Subject: in

inside
`)
const nested = crlf(`Return-Path: <x@y>
From: =?ISO-2022-JP?B?GyRCMlY7MhsoQg==?= <hanako@campus.example>
To: taro@campus.example
Subject: nested
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

渡り鳥
--b
Content-Type: message/rfc822

${inner.replaceAll('\r\n', '\n')}--b--
`)

test('sections, partials and macros give exact octets (RFC 9051 §6.4.5)', async (t) => {
  const client = await (await imapRoom(t)).login()
  const octets = fromUtf8(nested)
  const text = toLatin1(octets)
  await client.append('INBOX', octets)
  await client.command('SELECT INBOX')
  const section = async (name: string): Promise<string | undefined> => {
    const answer = await client.command(`FETCH 1 BODY.PEEK[${name}]`)
    const match = /\{(\d+)\}\r\n/.exec(answer)
    if (match === null) return /NIL/.test(answer) ? undefined : assert.fail(answer)
    const from = match.index + match[0].length
    return answer.slice(from, from + Number(match[1]))
  }
  const headerEnd = text.indexOf('\r\n\r\n') + 4
  assert.equal(await section(''), text)
  assert.equal(await section('HEADER'), text.slice(0, headerEnd))
  assert.equal(await section('TEXT'), text.slice(headerEnd))
  assert.equal(
    await section('HEADER.FIELDS (SUBJECT to)'),
    'To: taro@campus.example\r\nSubject: nested\r\n\r\n',
  )
  assert.equal(
    await section('HEADER.FIELDS.NOT (From To MIME-Version Content-Type Return-Path)'),
    'Subject: nested\r\n\r\n',
  )
  assert.equal(await section('1'), toLatin1(fromUtf8('渡り鳥')))
  assert.equal(await section('1.MIME'), 'Content-Type: text/plain; charset=utf-8\r\n\r\n')
  assert.equal((await section('2'))?.trimEnd(), inner.trimEnd())
  assert.equal(await section('2.HEADER'), 'From: taro@campus.example\r\nSubject: in\r\n\r\n')
  assert.equal((await section('2.TEXT'))?.trimEnd(), 'inside')
  assert.equal(await section('2.HEADER.FIELDS (Subject)'), 'Subject: in\r\n\r\n')
  assert.equal((await section('2.1'))?.trimEnd(), 'inside')
  assert.equal(await section('3'), undefined)
  assert.equal(await section('1.1'), undefined)

  const partial = await client.command('FETCH 1 BODY.PEEK[]<10.5>')
  assert.match(partial, /BODY\[\]<10> \{5\}\r\n/)
  assert.ok(partial.includes(`\r\n${text.slice(10, 15)})`))
  assert.match(await client.command('FETCH 1 BODY.PEEK[]<99999.5>'), /BODY\[\]<99999> \{0\}\r\n\)/)
  assert.match(
    await client.command('FETCH 1 FULL'),
    /FLAGS \(\\Recent\) INTERNALDATE "[^"]+" RFC822.SIZE \d+ ENVELOPE \(NIL "nested" .* BODY \(\(/,
  )
  assert.match(
    await client.command('FETCH 1 BODYSTRUCTURE'),
    /"mixed" \("boundary" "b"\) NIL NIL NIL\)/,
  )
  assert.match(await client.command('FETCH 1 (EMAILID THREADID)'), /EMAILID \(\w+\) THREADID \(T/)
  assert.match(await client.command('FETCH 2 FLAGS'), /^BAD/)
  assert.match(await client.command('UID FETCH 2 FLAGS'), /^OK/)
})

test('reading sets \\Seen and says so; peeking does not', async (t) => {
  const client = await (await imapRoom(t)).login()
  for (let i = 0; i < 3; i++) await client.append('INBOX', fromUtf8('A: b\r\n\r\nc'))
  await client.command('SELECT INBOX')
  assert.doesNotMatch(await client.command('FETCH 1 (BODY.PEEK[] RFC822.HEADER)'), /FLAGS/)
  assert.match(
    await client.command('FETCH 1 BODY[TEXT]'),
    /FETCH \(BODY\[TEXT\] \{1\}\r\nc FLAGS \(\\Recent \\Seen\)\)\r\nOK/,
  )
  assert.doesNotMatch(await client.command('FETCH 1 BODY[TEXT]'), /FLAGS/)
  await client.command('ENABLE CONDSTORE')
  assert.match(await client.command('FETCH 2 RFC822'), /FLAGS \(\\Recent \\Seen\) MODSEQ \(\d+\)\)/)
  assert.match(
    await client.command('FETCH 3 (FLAGS RFC822.TEXT)'),
    /\(FLAGS \(\\Recent \\Seen\) RFC822.TEXT/,
  )
  assert.match(await client.command('SEARCH UNSEEN'), /^\* SEARCH\r\n/)
})

test('many messages are read ahead and come in order', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  for (let i = 0; i < 450; i++)
    await client.append('INBOX', fromUtf8(`N: ${i}\r\n\r\n${'渡り'.repeat(i)}\r\n`))
  await client.command('SELECT INBOX')
  const answer = await client.command('FETCH 1:* (UID BODY.PEEK[])')
  const heads = [
    ...answer.matchAll(/\* (\d+) FETCH \(UID (\d+) BODY\[\] \{(\d+)\}\r\nN: (\d+)\r\n/g),
  ]
  assert.deepEqual(
    heads.map((head) => head.slice(1).map(Number)),
    Array.from({ length: 450 }, (_, i) => [i + 1, i + 1, `N: ${i}\r\n\r\n\r\n`.length + 6 * i, i]),
  )
  // Two groups of messages are under way while the one before them is written.
  assert.equal(room.store.readsAtOnceMax, 3)
})

test('a large body comes whole, in pieces', async (t) => {
  const client = await (await imapRoom(t)).login()
  const octets = fromUtf8(`Subject: big\r\n\r\n${'渡り鳥が空を飛ぶ\r\n'.repeat(60_000)}`)
  await client.append('INBOX', octets)
  await client.command('SELECT INBOX')
  const answer = await client.command('FETCH 1 BODY.PEEK[]')
  const from = answer.indexOf('}\r\n') + 3
  assert.equal(answer.slice(from, from + octets.length), toLatin1(octets))
  assert.equal(answer.slice(from + octets.length), ')\r\nOK Fetched\r\n')
})

test('a client that does not read is cut off, others go on', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock, limits: { transferTimeoutMs: 30_000 } })
  const filler = await room.login()
  const octets = Buffer.alloc(900_000, 'x')
  for (let i = 0; i < 3; i++) await filler.append('INBOX', octets)
  const slow = await room.login()
  await slow.command('SELECT INBOX')
  slow.socket.pause()
  const closed = once(slow.socket, 'close')
  slow.send(`s FETCH ${Array.from({ length: 100 }, () => '1:3').join(',')} BODY.PEEK[]\r\n`)
  for (let i = 0; i < 20; i++) slow.send(`s${i} FETCH 1:3 BODY.PEEK[]\r\n`)
  for (let rounds = 0; room.listener.connections() > 1; rounds++) {
    assert.ok(rounds < 10_000, 'never cut off')
    assert.match(await filler.command('NOOP'), /^OK/)
    clock.advance(1_000)
  }
  slow.socket.resume()
  slow.end()
  await closed
})

test('storage that stops amid a body ends the connection, not the count of octets', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  await client.append('INBOX', Buffer.alloc(5_000_000, 'x'))
  await client.command('SELECT INBOX')
  const { store } = room
  const read = store.read
  let reads = 0
  store.read = async (ask) => {
    if (++reads > 3) return { octets: undefined }
    return read(ask)
  }
  client.send('x FETCH 1 BODY.PEEK[]\r\n')
  const rest = await client.closed()
  assert.ok(rest.length < 5_000_000)
  assert.doesNotMatch(rest.slice(-100), /OK|NO|BYE/)
})

test('two sessions share one view', async (t) => {
  const room = await imapRoom(t)
  const client: LineClient = await room.login()
  await client.command('SELECT INBOX')
  const other = await room.login()
  await other.command('SELECT INBOX')
  const { mailboxes } = await room.store.mailboxes({ accountId: 'account-hanako' as never })
  const view = await room.shared.views.open({ accountId: 'account-hanako' as never }, mailboxes[0]!)
  assert.equal(view?.readers.size, 2)
  room.shared.views.release(view)
})

test('ENVELOPE tells an old source route (RFC 9051 §7.5.2, RFC 5322 §4.4)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.append(
    'INBOX',
    fromUtf8('From: 渡 <@a.example,@b:u@d>\r\nTo: <@route:u@d>, x@y\r\n\r\n'),
  )
  await client.command('SELECT INBOX')
  const answer = await client.command('FETCH 1 ENVELOPE')
  assert.match(answer, /"@a\.example,@b" "u" "d"\)\) /)
  assert.match(answer, /\(\(NIL "@route" "u" "d"\)\(NIL NIL "x" "y"\)\)/)
})

test('numbers that no message has are BAD, `*` of an empty mailbox too; UIDs are not (RFC 9051 §9 seq-number)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.command('SELECT INBOX')
  for (const command of [
    'FETCH * UID',
    'FETCH 1:* UID',
    'STORE * FLAGS ()',
    'COPY 1:* Trash',
    'MOVE * Trash',
    'REPLACE * INBOX {1+}\r\nx',
  ])
    assert.match(await client.command(command), /^BAD /, command)
  for (const command of [
    'UID FETCH 1:* UID',
    'UID STORE * FLAGS ()',
    'UID MOVE 1:* Trash',
    'SEARCH *',
  ])
    assert.match(await client.command(command), /OK /, command)
})
