import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

const mail = fromUtf8('Subject: x\r\n\r\n渡り\r\n')
const latin = (text: string): string => toLatin1(fromUtf8(text))

test('IMAP4rev2 is spoken by who enables it (RFC 9051 §6.3.1)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  assert.match(await client.command('CAPABILITY'), /CAPABILITY IMAP4rev1 IMAP4rev2 /)
  await client.append('INBOX', mail)
  assert.equal(await client.command('ENABLE IMAP4rev2'), '* ENABLED IMAP4rev2\r\nOK Done\r\n')
  const selected = await client.command('SELECT inbox')
  assert.match(selected, /\* LIST \(\) "\/" INBOX\r\n/)
  assert.doesNotMatch(selected, /RECENT|UNSEEN/)
  assert.match(await client.command('SELECT INBOX'), /^\* OK \[CLOSED\]/)
  assert.match(await client.command('SEARCH ALL'), /^\* ESEARCH \(TAG "t\d+"\) ALL 1\r\nOK/)
  assert.match(await client.command('UID SEARCH 2:*'), /^\* ESEARCH \(TAG "t\d+"\) UID ALL 1\r\n/)
  assert.match(await client.command('SEARCH FLAGGED'), /^\* ESEARCH \(TAG "t\d+"\)\r\nOK/)
  for (const item of ['RFC822', 'RFC822.HEADER', '(RFC822.TEXT)'])
    assert.match(await client.command(`FETCH 1 ${item}`), /^BAD/)
  assert.match(await client.command('FETCH 1 RFC822.SIZE'), /SIZE \d+\)/)
  assert.match(await client.command('STATUS INBOX (MESSAGES DELETED SIZE)'), /DELETED 0 SIZE \d+\)/)
})

test('names travel in UTF-8 once that is enabled (RFC 9051 §5.1)', async (t) => {
  const room = await imapRoom(t)
  const old = await room.login()
  const client = await room.login()
  await client.command('ENABLE IMAP4rev2')
  assert.match(await client.command('CREATE "議事録 R&D"'), /^OK/)
  assert.ok((await client.command('LIST "" "議*"')).includes(`"/" "${latin('議事録 R&D')}"\r\n`))
  assert.match(await old.command('LIST "" "*R&-D"'), /"\/" "&i3BOi5My- R&-D"\r\n/)
  assert.match(await old.command('STATUS "&i3BOi5My- R&-D" (MESSAGES)'), /"&i3BOi5My- R&-D" \(M/)
  const { length } = fromUtf8('議事録 R&D')
  assert.match(await client.command(`SELECT {${length}+}\r\n議事録 R&D`), /OK \[READ-WRITE\]/)
  assert.ok(
    (await client.command('RENAME "議事録 R&D" 記録')).startsWith(
      `* LIST () "/" "${latin('記録')}" ("OLDNAME" ("${latin('議事録 R&D')}"))\r\nOK`,
    ),
  )
  // A name that is normalised is told as what it became (RFC 9051 §6.3.4).
  const made = await client.command('CREATE "か\u3099く/"')
  assert.ok(made.startsWith(`* LIST () "/" "${latin('がく')}" ("OLDNAME" (`), made)
  assert.match(await client.command('STATUS がく (MESSAGES)'), /MESSAGES 0/)
})

test('who does not enable anything has IMAP4rev1 as it was (RFC 3501)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  await client.append('INBOX', mail)
  const selected = await client.command('SELECT INBOX')
  assert.match(selected, /\* 1 RECENT\r\n\* OK \[UNSEEN 1\]/)
  assert.doesNotMatch(selected, /\* LIST/)
  assert.match(await client.command('SEARCH ALL'), /^\* SEARCH 1\r/)
  assert.match(await client.command('FETCH 1 RFC822.HEADER'), /RFC822.HEADER \{14\}/)
  assert.match(await client.command('SEARCH CHARSET UTF-8 TEXT 渡り'), /^\* SEARCH 1\r/)
  await client.command('ENABLE UTF8=ACCEPT')
  assert.match(await client.command('SEARCH CHARSET UTF-8 TEXT 渡り'), /^BAD/)
  assert.match(await client.command('SEARCH TEXT 渡り'), /^\* SEARCH 1\r/)
})

test('UNAUTHENTICATE is as if the connection had just come (RFC 8437 §3)', async (t) => {
  const room = await imapRoom(t, { limits: { connectionsPerAccountMax: 1 } })
  const client = await room.login()
  await client.append('INBOX', mail)
  await client.command('ENABLE IMAP4rev2 QRESYNC')
  await client.command('SELECT INBOX')
  assert.match(await client.command('UNAUTHENTICATE'), /^OK/)
  assert.match(await client.command('UNAUTHENTICATE'), /^BAD/)
  assert.match(await client.command('SELECT INBOX'), /^BAD/)
  const other = await room.login() // the account's one place is free again
  assert.match(await client.command('LOGIN taro taro'), /^OK/)
  assert.match(await client.command('SELECT INBOX'), /\* 0 EXISTS\r\n\* 0 RECENT/)
  assert.match(await client.command('SELECT INBOX (QRESYNC (1 1))'), /^BAD/)
  assert.match(await other.command('NOOP'), /^OK/)
})

test('SELECT tells a name that was given in another form (RFC 9051 §6.3.2)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.command('ENABLE IMAP4rev2')
  const [composed, apart] = ['が', 'か\u3099']
  await client.command(`CREATE "${composed}"`)
  const examined = await client.command(`EXAMINE "${apart}"`)
  const line = `* LIST () "/" "${latin(composed)}" ("OLDNAME" ("${latin(apart)}"))\r\n`
  assert.ok(examined.includes(line), examined)
  assert.match(await client.command(`SELECT "${composed}"`), /\* LIST \(\) "\/" "[^"]*"\r\n/)
  assert.match(await client.command('SELECT inbox'), /\* LIST \(\) "\/" INBOX\r\n/)
})
