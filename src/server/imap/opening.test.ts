import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

const mail = (n: number) => fromUtf8(`Subject: ${n}\r\n\r\n本文`)

test('SELECT and STATUS read no rows; what changes meanwhile is told in order (RFC 9051 §7.5.1)', async (t) => {
  const room = await imapRoom(t, { limits: { rowsAtSelectMax: -1 } })
  let whole = 0
  const view = room.store.view
  room.store.view = (ask) => {
    if (ask.since === undefined) whole++
    return view(ask)
  }
  const [a, b, c] = [await room.login(), await room.login(), await room.login()]
  for (let n = 1; n <= 6; n++) await a.append('INBOX', mail(n))
  const selectedA = await a.command('SELECT INBOX')
  assert.match(selectedA, /^\* 6 EXISTS\r$/m)
  assert.match(selectedA, /HIGHESTMODSEQ \d+/)
  assert.match(await a.command('STATUS INBOX (MESSAGES)'), /MESSAGES 6/)
  await a.command('UNSELECT')
  await a.command('SELECT INBOX')
  assert.equal(whole, 0)

  // Another takes mails away and brings one, and a third selects in between.
  await b.command('SELECT INBOX')
  await b.command('UID STORE 2,5 +FLAGS.SILENT (\\Deleted)')
  assert.equal(whole, 1)
  await b.command('UID STORE 1 +FLAGS.SILENT (\\Flagged)')
  await b.command('UID EXPUNGE 2')
  assert.match(await c.command('SELECT INBOX'), /^\* 5 EXISTS\r$/m)
  await b.command('UID EXPUNGE 5')
  await b.append('INBOX', mail(7))

  // What A had told by number is still so; of the expunged it is told only where that is allowed.
  const fetched = await a.command('FETCH 1:6 (UID)')
  assert.deepEqual(
    [...fetched.matchAll(/^\* (\d) FETCH \(UID (\d)\)\r$/gm)].map(([, seq, uid]) => [seq, uid]),
    [
      ['1', '1'],
      ['2', '2'],
      ['3', '3'],
      ['4', '4'],
      ['5', '5'],
      ['6', '6'],
    ],
  )
  assert.doesNotMatch(fetched, /EXPUNGE/)
  assert.match(fetched, /^\* 1 FETCH \(.*\\Flagged/m)
  assert.match(fetched, /^\* 7 EXISTS\r$/m)
  const told = await a.command('NOOP')
  assert.deepEqual(
    [...told.matchAll(/^\* (\d) EXPUNGE\r$/gm)].map(([, seq]) => seq),
    ['5', '2'],
  )
  const toldC = await c.command('NOOP')
  assert.match(toldC, /^\* 4 EXPUNGE\r$/m)
  assert.doesNotMatch(toldC, /^\* [1235] EXPUNGE/m)
  assert.match(toldC, /^\* 5 EXISTS\r$/m)
  assert.equal(whole, 1)
})

test('of a message that went before rows were read nothing is told but that (RFC 5530 §3)', async (t) => {
  const room = await imapRoom(t, { limits: { rowsAtSelectMax: -1 } })
  const [a, b] = [await room.login(), await room.login()]
  for (let n = 1; n <= 3; n++) await a.append('INBOX', mail(n))
  await a.command('SELECT INBOX')
  const { mailboxes } = await room.store.mailboxes({ accountId: 'account-hanako' as never })
  const [inbox] = mailboxes
  await room.store.commit({
    contents: [],
    commits: [
      {
        accountId: 'account-hanako' as never,
        changes: [
          { kind: 'expunge', mailboxId: inbox!.id, uids: [2 as never], deletedOnly: false },
        ],
      },
    ],
  })
  const answer = await a.command('FETCH 1:3 (UID FLAGS RFC822.SIZE)')
  assert.deepEqual(
    [...answer.matchAll(/^\* (\d) FETCH/gm)].map(([, seq]) => seq),
    ['1', '3'],
  )
  assert.match(answer, /NO \[EXPUNGEISSUED\]/)
  assert.match(await a.command('NOOP'), /^\* 2 EXPUNGE\r$/m)
  assert.match(await a.command('FETCH 2 (UID)'), /^\* 2 FETCH \(UID 3\)/m)
  b.end()
})

test('rows that cannot be read are NO, and read again by the next command', async (t) => {
  const room = await imapRoom(t, { limits: { rowsAtSelectMax: -1 } })
  const client = await room.login()
  await client.append('INBOX', mail(1))
  await client.command('SELECT INBOX')
  room.store.fault = new Fault('stalled', '止まった')
  assert.match(await client.command('FETCH 1 (UID)'), /^NO \[UNAVAILABLE\]/m)
  room.store.fault = undefined
  assert.match(await client.command('FETCH 1 (UID)'), /^\* 1 FETCH \(UID 1\)/m)
})

test('a mailbox that was deleted before its rows were read ends the session', async (t) => {
  const room = await imapRoom(t, { limits: { rowsAtSelectMax: -1 } })
  const [a, b] = [await room.login(), await room.login()]
  await a.command('CREATE 仮'.replace('仮', 'kari'))
  await a.command('SELECT kari')
  await b.command('DELETE kari')
  a.send('x NOOP\r\n')
  assert.match(await a.closed(), /\* BYE The selected mailbox is gone/)
  // Its own deletion only leaves it.
  await b.command('CREATE kari')
  await b.command('SELECT kari')
  assert.match(await b.command('DELETE kari'), /^OK/)
  assert.match(await b.command('FETCH 1 (UID)'), /^BAD/)
})

test('an append to it is told at once', async (t) => {
  const room = await imapRoom(t, { limits: { rowsAtSelectMax: -1 } })
  const client = await room.login()
  await client.command('SELECT INBOX')
  assert.match(await client.append('INBOX', mail(1)), /^\* 1 EXISTS\r$/m)
})

test('a SELECT of what is in memory asks for no rows, unless there is something new', async (t) => {
  const room = await imapRoom(t)
  let asked = 0
  const view = room.store.view
  room.store.view = (ask) => {
    asked++
    return view(ask)
  }
  const client = await room.login()
  await client.append('INBOX', mail(1))
  await client.command('SELECT INBOX')
  assert.equal(asked, 1)
  await client.command('SELECT INBOX')
  await client.command('EXAMINE INBOX')
  assert.equal(asked, 1)
  await client.command('UNSELECT')
  const { mailboxes } = await room.store.mailboxes({ accountId: 'account-hanako' as never })
  // Brought along with an older MODSEQ, as by an import.
  const { highestModSeq, id } = mailboxes[0]!
  const append = {
    kind: 'append',
    mailbox: { id },
    content: 0,
    flags: 0,
    keywords: [],
    internalDateMs: 1,
    assigned: { uid: 9 as never, modSeq: (highestModSeq - 1n) as never },
  } as const
  const commits = [{ accountId: 'account-hanako' as never, changes: [append] }]
  await room.store.commit({ contents: [{ octets: [mail(9)] }], commits })
  assert.match(await client.command('SELECT INBOX'), /^\* 2 EXISTS\r$/m)
  assert.match(await client.command('FETCH 2 UID'), /UID 9/)
})
