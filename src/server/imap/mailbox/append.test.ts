import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import type { LineClient } from '#test/fake/line-client.ts'

const mail = (subject: string): string => `Subject: ${subject}\r\n\r\n渡り\r\n`
const literal = (text: string, mark = ''): string =>
  `${mark}{${Buffer.byteLength(text)}+}\r\n${text}`

const subjects = async (client: LineClient): Promise<string[]> => {
  const answer = await client.command('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)])')
  return [...answer.matchAll(/Subject: (\S+)/g)].map(([, subject]) => subject!)
}

test('APPEND takes several messages, all of them or none (RFC 3502 §6.3.11)', async (t) => {
  const room = await imapRoom(t, { limits: { messageBytesMax: 1_000 } })
  const client = await room.login()
  await client.command('SELECT INBOX')
  assert.match(
    await client.command(
      `APPEND INBOX (\\Seen) ${literal(mail('a'))} (\\Flagged $鳥) ${literal(mail('x'))}`,
    ),
    /^BAD/,
  )
  const whole = await client.command(
    `APPEND INBOX (\\Seen) ${literal(mail('a'))} "01-Feb-2026 09:00:00 +0900" ${literal(mail('b'))} ${literal(mail('c'))}`,
  )
  assert.match(whole, /^\* 3 EXISTS\r\n\* 3 RECENT\r\nOK \[APPENDUID \d+ 1:3\] Appended\r\n$/)
  assert.deepEqual(await subjects(client), ['a', 'b', 'c'])
  assert.match(
    await client.command('FETCH 1:2 (FLAGS INTERNALDATE)'),
    /1 FETCH \(FLAGS \(\\Recent \\Seen\)[^]*2 FETCH \(FLAGS \(\\Recent\) INTERNALDATE " 1-Feb-2026 00:00:00 \+0000"\)/,
  )
  // One by one, with a client that waits.
  client.send(`w APPEND INBOX {${Buffer.byteLength(mail('d'))}}\r\n`)
  assert.match(await client.line(), /^\+/)
  client.send(`${mail('d')} {${Buffer.byteLength(mail('e'))}}\r\n`)
  assert.match(await client.line(), /^\+/)
  client.send(`${mail('e')}\r\n`)
  assert.match(await client.response((line) => line.startsWith('w ')), /APPENDUID \d+ 4:5\]/)

  const large = mail('l'.repeat(1_000))
  const tooLarge = `APPEND INBOX ${literal(mail('f'))} ${literal(large)}`
  assert.match(await client.command(tooLarge), /^NO \[TOOBIG\]/)
  const wrong = `APPEND INBOX ${literal(mail('f'))} nonsense`
  assert.match(await client.command(wrong), /^BAD/)
  const { commit } = room.store
  room.store.commit = () => Promise.reject(new Fault('full', 'no room'))
  const refused = `APPEND INBOX ${literal(mail('f'))} ${literal(mail('g'))}`
  assert.match(await client.command(refused), /^NO \[UNAVAILABLE\]/)
  room.store.commit = commit
  assert.deepEqual(await subjects(client), ['a', 'b', 'c', 'd', 'e'])
  assert.match(
    await client.command('STATUS INBOX (MESSAGES APPENDLIMIT)'),
    /MESSAGES 5 APPENDLIMIT 1000\)/,
  )
  assert.match(await client.command('CAPABILITY'), / MULTIAPPEND .* APPENDLIMIT=1000\r\n/)
})

test('messages beyond what is held in memory are filed too', async (t) => {
  const client = await (await imapRoom(t)).login()
  const large = mail('large') + '鳥'.repeat(80_000)
  const many = Array.from({ length: 12 }, (_, n) => literal(mail(`s${n}`) + large)).join(' ')
  client.send(`w APPEND INBOX ${many}\r\n`)
  assert.match(await client.response((line) => line.startsWith('w ')), /APPENDUID \d+ 1:12\]/)
  await client.command('SELECT INBOX')
  const sizes = new Set((await client.command('FETCH 1:* RFC822.SIZE')).match(/SIZE \d+/g))
  assert.equal(sizes.size, 2) // s9 and s10 differ by one octet
})

test('UTF8 is closed by a parenthesis, and NUL passes in a literal8 (RFC 9755 §4, RFC 3516 §4.4)', async (t) => {
  const client = await (await imapRoom(t)).login()
  assert.match(await client.command('ENABLE UTF8=ACCEPT'), /ENABLED UTF8=ACCEPT/)
  const utf8 = 'Subject: 渡り鳥\r\n\r\nx\r\n'
  assert.match(
    await client.command(`APPEND INBOX UTF8 (${literal(utf8, '~')})`),
    /APPENDUID \d+ 1\]/,
  )
  assert.match(await client.command(`APPEND INBOX UTF8 (${literal(utf8, '~')}`), /^BAD/)
  assert.match(
    await client.command(
      `APPEND INBOX (\\Seen) UTF8 (${literal(utf8, '~')}) UTF8 (${literal(utf8, '~')})`,
    ),
    /APPENDUID \d+ 2:3\]/,
  )
  const binary = 'Subject: b\r\nContent-Transfer-Encoding: binary\r\n\r\na\0b'
  assert.match(await client.command(`APPEND INBOX ${literal(binary, '~')}`), /APPENDUID \d+ 4\]/)
  await client.command('SELECT INBOX')
  assert.match(await client.command('FETCH 4 BINARY.PEEK[1]'), /BINARY\[1\] ~\{3\}\r\na\0b\)/)
})

test('REPLACE puts one message in the place of another (RFC 8508 §3)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  for (const name of ['a', 'b', 'c']) await client.append('INBOX', Buffer.from(mail(name)))
  assert.match(await client.command(`REPLACE 1 INBOX ${literal(mail('x'))}`), /^BAD/)
  await client.command('SELECT INBOX')
  const answer = await client.command(`REPLACE 2 INBOX (\\Draft) ${literal(mail('b2'))}`)
  assert.match(
    answer,
    /^\* OK \[APPENDUID \d+ 4\] [^\r]*\r\n\* 2 EXPUNGE\r\n\* 3 EXISTS\r\n\* 3 RECENT\r\nOK Replaced/,
  )
  assert.deepEqual(await subjects(client), ['a', 'c', 'b2'])
  const moved = await client.command(`UID REPLACE 1 Drafts ${literal(mail('a2'))}`)
  assert.match(moved, /^\* OK \[APPENDUID \d+ 1\] [^\r]*\r\n\* 1 EXPUNGE\r\nOK Replaced/)
  assert.match(
    await client.command(`UID REPLACE 1 INBOX ${literal(mail('y'))}`),
    /^NO \[EXPUNGEISSUED\]/,
  )
  assert.match(await client.command(`REPLACE 9 INBOX ${literal(mail('y'))}`), /^BAD/)
  assert.match(await client.command(`REPLACE 1 Nowhere ${literal(mail('y'))}`), /^NO \[TRYCREATE\]/)
  assert.match(
    await client.command(`REPLACE 1 INBOX ${literal(mail('y'))} ${literal(mail('z'))}`),
    /^BAD/,
  )
  await client.command('EXAMINE INBOX')
  assert.match(await client.command(`REPLACE 1 INBOX ${literal(mail('y'))}`), /^NO \[READ-ONLY\]/)
  assert.deepEqual(await subjects(client), ['c', 'b2'])
})

test('a day or a time that there is not is BAD, in APPEND and SEARCH (RFC 9051 §9 date-time)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.command('SELECT INBOX')
  for (const dateTime of [
    '32-Jul-2026 02:44:25 +0900',
    '29-Feb-2026 02:44:25 +0900',
    '00-Jul-2026 02:44:25 +0900',
    '01-Jul-2026 24:00:00 +0900',
    '01-Jul-2026 23:60:00 +0900',
    '01-Jly-2026 23:00:00 +0900',
  ])
    assert.match(await client.command(`APPEND INBOX "${dateTime}" ${literal(mail('渡'))}`), /^BAD/)
  assert.match(
    await client.command(`APPEND INBOX "29-Feb-2024 23:59:60 +0900" ${literal(mail('渡'))}`),
    /^\* 1 EXISTS\r\n\* 1 RECENT\r\nOK/,
  )
  for (const date of ['30-Feb-2026', '0-Jan-2026', '31-Apr-2026'])
    assert.match(await client.command(`SEARCH SINCE ${date}`), /^BAD/)
  assert.match(await client.command('SEARCH ON 29-Feb-2024'), /^\* SEARCH 1\r\n/)
})

test('a message of no octets calls off those before it (RFC 3502 §6.3.11); alone it is one like others', async (t) => {
  const client = await (await imapRoom(t)).login()
  assert.match(await client.command('APPEND INBOX {1+}\r\nx {0+}\r\n'), /^NO \[CANNOT\]/)
  assert.match(await client.command('STATUS INBOX (MESSAGES)'), /MESSAGES 0/)
  assert.match(await client.command('APPEND INBOX {0+}\r\n'), /^OK \[APPENDUID/)
  assert.match(await client.command('STATUS INBOX (MESSAGES)'), /MESSAGES 1/)
})

test('a message that comes octet by octet ends with its time, and holds no file; others are served', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock, limits: { transferTimeoutMs: 60 * SECOND_MS } })
  const beside = await room.login()
  for (const size of [100, 1_000_000]) {
    const client = await room.login('taro')
    client.send(`a APPEND INBOX {${size}+}\r\n`)
    let sent = 0
    for (; !client.ended && sent < 300; sent++) {
      client.send('鳥')
      assert.match(await beside.command('NOOP'), /^OK/)
      clock.advance(SECOND_MS)
    }
    assert.ok(sent < 300, `${size}: still open after ${sent} s`)
    assert.doesNotMatch(await client.closed(), /OK/)
    assert.equal(room.store.largeFiles, 0)
  }
})

test('a message that comes slowly but steadily is taken', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock, limits: { transferTimeoutMs: 60 * SECOND_MS } })
  const client = await room.login()
  const octets = Buffer.alloc(700_000, '渡り鳥\r\n')
  const { appendLarge } = room.store
  let told = (): void => undefined
  room.store.appendLarge = (part) => appendLarge(part).finally(() => told())
  client.send(`a APPEND INBOX {${octets.length}+}\r\n`)
  for (const at of [0, 300_000]) {
    const taken = new Promise<void>((resolve) => (told = resolve))
    client.send(octets.subarray(at, at + 300_000))
    await taken
    clock.advance(50 * SECOND_MS)
  }
  client.send(octets.subarray(600_000))
  client.send('\r\n')
  assert.match(await client.line(), /^a OK/)
})
