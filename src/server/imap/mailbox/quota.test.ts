import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapFlow } from 'imapflow'
import { fromUtf8 } from '#base/octets.ts'
import { encodeUtf7 } from '#codec/imap/mailbox-name.ts'
import type { LineClient } from '#test/fake/line-client.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

const mailOf = (sizeBytes: number) =>
  fromUtf8(`Subject: x\r\n\r\n${'渡'.repeat(10)}`.padEnd(sizeBytes - 20))

async function append(client: LineClient, sizeBytes: number, more = ''): Promise<string> {
  const octets = mailOf(sizeBytes)
  assert.equal(octets.length, sizeBytes)
  client.send(`a APPEND INBOX ${more}{${octets.length}+}\r\n`)
  client.send(octets)
  client.send('\r\n')
  return client.response((line) => line.startsWith('a '))
}

test('GETQUOTAROOT and GETQUOTA tell limits and use (RFC 9208 §4.1)', async (t) => {
  let quota = { bytes: 10_240, messages: 5 }
  const room = await imapRoom(t, { quota: () => quota })
  const client = await room.login()
  assert.match(await client.command('CAPABILITY'), / QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE/)
  await append(client, 2_049)
  assert.equal(
    await client.command('GETQUOTAROOT INBOX'),
    '* QUOTAROOT INBOX ""\r\n* QUOTA "" (STORAGE 3 10 MESSAGE 1 5)\r\nOK Done\r\n',
  )
  const later = encodeUtf7('議事録')
  assert.match(await client.command(`GETQUOTAROOT ${later}`), /^\* QUOTAROOT &\S+ ""\r\n\* QUOTA/)
  quota = { bytes: 0, messages: 5 }
  assert.match(await client.command('GETQUOTA ""'), /^\* QUOTA "" \(MESSAGE 1 5\)\r\nOK/)
  assert.match(await client.command('GETQUOTA other'), /^NO \[NONEXISTENT\]/)
  assert.match(await client.command('GETQUOTAROOT &broken'), /^NO \[CANNOT\]/)
  assert.match(await client.command('GETQUOTA'), /^BAD/)
  assert.match(await client.command('SETQUOTA "" (STORAGE 1)'), /^BAD/)
  quota = { bytes: 0, messages: 0 }
  assert.equal(await client.command('GETQUOTAROOT INBOX'), '* QUOTAROOT INBOX\r\nOK Done\r\n')
  assert.match(await client.command('GETQUOTA ""'), /^NO \[NONEXISTENT\]/)
})

test('a full account: APPEND and COPY are OVERQUOTA, all else goes on (RFC 9208 §4.3.1)', async (t) => {
  const room = await imapRoom(t, { quota: () => ({ bytes: 1_000, messages: 0 }) })
  const client = await room.login()
  assert.match(await append(client, 500), /^a OK/)
  assert.match(await append(client, 501), /^a NO \[OVERQUOTA\]/)
  client.send('b APPEND INBOX {501}\r\n')
  // Told before the message is sent.
  assert.match(await client.response((line) => line.startsWith('b ')), /^b NO \[OVERQUOTA\]/)
  assert.match(await append(client, 400, '(\\Deleted) '), /^a OK/m)
  await room.quotas.idle()
  await client.command('SELECT INBOX')
  assert.match(await client.command('COPY 1 Archive'), /^NO \[OVERQUOTA\]/)
  assert.match(await client.command('STATUS Archive (MESSAGES)'), /MESSAGES 0/)
  const status = await client.command('STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)')
  // The warning has come, by its own right.
  assert.match(status, /\(MESSAGES 3 DELETED 1 DELETED-STORAGE 400\)/)
  const listed = await client.command('LIST "" INBOX RETURN (STATUS (DELETED-STORAGE))')
  assert.match(listed, /\* STATUS INBOX \(DELETED-STORAGE 400\)/)
  assert.match(await client.command('MOVE 1 Archive'), /OK/)
  assert.match(await client.command('EXPUNGE'), /OK/)
  assert.match(await client.command('STATUS INBOX (DELETED-STORAGE)'), /DELETED-STORAGE 0/)
})

test('an untagged NO [OVERQUOTA] warns once where the account is nearly full (RFC 9208 §4.3.1)', async (t) => {
  let quota = { bytes: 10_000, messages: 0 }
  const room = await imapRoom(t, { quota: () => quota })
  const client = await room.login()
  await append(client, 8_000)
  assert.doesNotMatch(await client.command('SELECT INBOX'), /OVERQUOTA/)
  client.send(`a APPEND INBOX {1000+}\r\n${' '.repeat(1_000)}\r\n`)
  const told = await client.response((line) => line.startsWith('a '))
  assert.match(told, /^\* NO \[OVERQUOTA\] The mailbox is 90 % full[^]*^a OK \[APPENDUID/m)
  assert.doesNotMatch(await client.command('EXAMINE INBOX'), /OVERQUOTA/)
  const other = await room.login()
  assert.match(await other.command('SELECT INBOX'), /^\* NO \[OVERQUOTA\][^]*^OK \[READ-WRITE\]/m)
  quota = { bytes: 100_000, messages: 0 }
  assert.doesNotMatch(await other.command('SELECT INBOX'), /OVERQUOTA/)
  quota = { bytes: 10_000, messages: 0 }
  assert.match(await other.command('SELECT Archive'), /\* NO \[OVERQUOTA\]/)
  assert.doesNotMatch(await client.command('SELECT Nowhere'), /OVERQUOTA/)
})

test('imapflow reads the quota', async (t) => {
  const room = await imapRoom(t, { quota: () => ({ bytes: 10_240, messages: 5 }) })
  await append(await room.login(), 1_024)
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: room.port,
    secure: false,
    auth: { user: 'hanako', pass: '渡り 鳥&"1' },
    logger: false,
  })
  await client.connect()
  t.after(() => client.close())
  const found = await client.getQuota('INBOX')
  assert.ok(found !== false)
  assert.deepEqual([found.storage?.usage, found.storage?.limit], [1_024, 10_240])
  await client.logout()
})

test('the number of mailboxes is limited as the administrator says (RFC 9208 §5.3)', async (t) => {
  let mailboxes = 11
  const room = await imapRoom(t, { quota: () => ({ bytes: 0, messages: 0, mailboxes }) })
  const client = await room.login()
  assert.match(await client.command('CAPABILITY'), / QUOTA=RES-MAILBOX/)
  const had = Number(/MAILBOX (\d+) 11\)/.exec(await client.command('GETQUOTA ""'))?.[1])
  mailboxes = had + 2
  assert.match(await client.command('CREATE kaigi/gijiroku'), /^OK/)
  const told = `* QUOTA "" (MAILBOX ${mailboxes} ${mailboxes})\r\n`
  assert.match(await client.command('GETQUOTAROOT kaigi'), /^\* QUOTAROOT kaigi ""\r\n/)
  assert.equal(await client.command('GETQUOTA ""'), `${told}OK Done\r\n`)
  assert.match(await client.command('CREATE nao'), /^NO \[OVERQUOTA\] An account has at most/)
  assert.match(await client.command('RENAME INBOX old'), /^NO \[OVERQUOTA\]/)
  assert.match(
    await client.command('RENAME kaigi/gijiroku atarashii/gijiroku'),
    /^NO \[OVERQUOTA\]/,
  )
  assert.match(await client.command('RENAME kaigi/gijiroku kaigi/nihongo'), /^OK/)
  assert.match(await append(client, 100), /^a OK/)
  // Fewer are allowed than there are: they stay.
  mailboxes = 3
  assert.match(await client.command('GETQUOTA ""'), new RegExp(`MAILBOX ${had + 2} 3\\)`))
  assert.match(await client.command('DELETE kaigi/nihongo'), /^OK/)
  assert.match(await client.command('CREATE kaigi/nihongo'), /^NO \[OVERQUOTA\]/)
  mailboxes = 0
  assert.match(await client.command('CREATE kaigi/nihongo'), /^OK/)
})
