import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { fakeAccount } from '#test/fake/authenticator.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

const mail = fromUtf8('Subject: x\r\n\r\n渡り\r\n')
const HANAKO = fakeAccount('hanako').id

test('a message is recent in the first session that selects its mailbox (RFC 3501 §2.3.2)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  for (let i = 0; i < 3; i++) await client.append('INBOX', mail)
  assert.match(await client.command('STATUS INBOX (MESSAGES RECENT)'), /MESSAGES 3 RECENT 3/)
  // EXAMINE sees them and takes nothing (§6.3.2).
  assert.match(await client.command('EXAMINE INBOX'), /\* 3 RECENT\r\n/)
  assert.match(await client.command('FETCH 1 FLAGS'), /FLAGS \(\\Recent\)/)
  assert.match(await client.command('SELECT INBOX'), /\* 3 EXISTS\r\n\* 3 RECENT\r\n/)
  assert.match(await client.command('STATUS INBOX (RECENT)'), /RECENT 0/)
  const other = await room.login()
  assert.match(await other.command('SELECT INBOX'), /\* 0 RECENT/)
  assert.doesNotMatch(await other.command('FETCH 1:* FLAGS'), /Recent/)
  assert.match(await other.command('SEARCH RECENT'), /^\* SEARCH\r/)
  assert.match(await other.command('SEARCH OLD'), /^\* SEARCH 1 2 3\r/)

  assert.match(await client.command('STORE 2 +FLAGS (\\Seen)'), /\(\\Recent \\Seen\)/)
  assert.match(
    await client.command('FETCH 1:2 (FLAGS BODY.PEEK[TEXT])'),
    /FLAGS \(\\Recent \\Seen\)/,
  )
  assert.match(await client.command('UID FETCH 1:* (UID FLAGS)'), /UID 3 FLAGS \(\\Recent\)/)
  assert.match(await client.command('SEARCH RECENT'), /^\* SEARCH 1 2 3\r/)
  assert.match(await client.command('SEARCH NEW'), /^\* SEARCH 1 3\r/)
  assert.match(await client.command('SEARCH OLD'), /^\* SEARCH\r/)

  // Nobody sets or takes it (§2.3.2), and it does not move along with a copy into another session.
  assert.match(await client.command('STORE 1 FLAGS ()'), /FLAGS \(\\Recent\)/)
  await client.command('SELECT INBOX')
  assert.doesNotMatch(await client.command('FETCH 1:* FLAGS'), /Recent/)
})

test('new mail is recent in the session that is told of it first', async (t) => {
  const room = await imapRoom(t)
  const first = await room.login()
  const second = await room.login()
  await first.command('SELECT INBOX')
  await second.command('SELECT INBOX')
  await room.store.commit({
    contents: [{ octets: [mail] }],
    commits: [
      {
        accountId: HANAKO,
        changes: [
          {
            kind: 'append',
            mailbox: { path: ['INBOX'], create: false },
            content: 0,
            flags: 0,
            keywords: [],
            internalDateMs: 0,
          },
        ],
      },
    ],
  })
  assert.match(await first.command('NOOP'), /^\* 1 EXISTS\r\n\* 1 RECENT\r\n/)
  assert.match(await second.command('NOOP'), /^\* 1 EXISTS\r\nOK/)
  await first.append('INBOX', mail)
  assert.match(
    (await first.command('NOOP')) + (await first.command('FETCH 1:2 FLAGS')),
    /1 FETCH \(FLAGS \(\\Recent\)\)\r\n\* 2 FETCH \(FLAGS \(\\Recent\)\)/,
  )
  assert.match(await first.command('STORE 1 +FLAGS (\\Deleted)'), /OK/)
  assert.match(await first.command('EXPUNGE'), /\* 1 EXPUNGE/)
  assert.match(await first.command('SEARCH RECENT'), /^\* SEARCH 1\r/)
})

test('rev2 knows nothing of it (RFC 9051 appendix E)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  await client.append('INBOX', mail)
  await client.command('ENABLE IMAP4rev2')
  assert.doesNotMatch(await client.command('SELECT INBOX'), /RECENT/)
  assert.match(await client.command('FETCH 1 FLAGS'), /FLAGS \(\)/)
  const old = await room.login()
  assert.match(await old.command('SELECT INBOX'), /\* 1 RECENT/)
  await old.command('ENABLE IMAP4rev2')
  assert.match(await old.command('FETCH 1 FLAGS'), /FLAGS \(\)/)
})

test('who may only read a mailbox of another takes nothing from its owner', async (t) => {
  const room = await imapRoom(t)
  const owner = await room.login()
  await owner.command('CREATE Work')
  await owner.append('Work', mail)
  await owner.command('SETACL Work taro lrs')
  const reader = await room.login('taro')
  const selected = await reader.command('SELECT "Other Users/hanako/Work"')
  assert.match(selected, /\* 1 RECENT\r\n[^]*OK \[READ-ONLY\]/)
  await owner.append('Work', mail)
  assert.match(await reader.command('NOOP'), /\* 2 EXISTS/)
  assert.match(await owner.command('SELECT Work'), /\* 2 RECENT/)
})

test('a large mailbox that nobody has in memory counts what is recent without its rows', async (t) => {
  const room = await imapRoom(t, { limits: { rowsAtSelectMax: 1 } })
  const client = await room.login()
  for (let i = 0; i < 3; i++) await client.append('INBOX', mail)
  assert.match(await client.command('SELECT INBOX'), /\* 3 RECENT\r\n/)
  assert.match(await client.command('FETCH 3 FLAGS'), /FLAGS \(\\Recent\)/)
})

test('storage remembers who was told, and tells readers of no change', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  await client.append('INBOX', mail)
  const before = await client.command('STATUS INBOX (HIGHESTMODSEQ)')
  await client.command('SELECT INBOX')
  await client.command('CLOSE')
  const { mailboxes } = await room.store.mailboxes({ accountId: HANAKO })
  const inbox = mailboxes.find(({ path }) => path[0] === 'INBOX')!
  assert.equal(inbox.recentFrom, inbox.uidNext)
  assert.equal(await client.command('STATUS INBOX (HIGHESTMODSEQ)'), before)
})

test('who only looks is told of what comes, and takes it from nobody (RFC 3501 §6.3.2)', async (t) => {
  const room = await imapRoom(t)
  const looking = await room.login()
  const other = await room.login()
  await other.append('INBOX', mail)
  assert.match(await looking.command('EXAMINE INBOX'), /\* 1 RECENT/)
  await other.append('INBOX', mail)
  assert.match(await looking.command('NOOP'), /^\* 2 EXISTS\r\n\* 2 RECENT\r\n/)
  assert.match(await looking.command('FETCH 2 FLAGS'), /\(\\Recent\)/)
  assert.match(await other.command('STATUS INBOX (RECENT)'), /RECENT 2/)
  assert.match(await other.command('SELECT INBOX'), /\* 2 RECENT/)
  await other.append('INBOX', mail)
  // The other one was told first, and has all of them now.
  assert.match(await looking.command('NOOP'), /^\* 3 EXISTS\r\nOK/)
})
