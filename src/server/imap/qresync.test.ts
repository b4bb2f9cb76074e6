import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import type { ImapRoomUnderTest } from '#test/fake/imap-room.ts'
import type { LineClient } from '#test/fake/line-client.ts'

const mail = fromUtf8('Subject: x\r\n\r\n渡り\r\n')

async function filled(room: ImapRoomUnderTest, count: number): Promise<LineClient> {
  const client = await room.login()
  for (let i = 0; i < count; i++) await client.append('INBOX', mail)
  return client
}

const stateIn = (answer: string): string =>
  `${/UIDVALIDITY (\d+)/.exec(answer)![1]!} ${/HIGHESTMODSEQ (\d+)/.exec(answer)![1]!}`

test('who enabled QRESYNC hears of expunged messages by UID (RFC 7162 §3.2.10)', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 5)
  assert.match(await client.command('CAPABILITY'), / QRESYNC\b/)
  assert.equal(await client.command('ENABLE QRESYNC X-Y'), '* ENABLED QRESYNC\r\nOK Done\r\n')
  await client.command('SELECT INBOX')
  assert.match(
    await client.command('STORE 1:2,4 +FLAGS (\\Deleted)'),
    /^\* 1 FETCH \(UID 1 FLAGS \(\\Recent \\Deleted\) MODSEQ \(\d+\)\)/,
  )
  assert.match(
    await client.command('UID EXPUNGE 4'),
    /^\* VANISHED 4\r\nOK \[HIGHESTMODSEQ \d+\] Expunged\r\n$/,
  )
  const expunged = await client.command('EXPUNGE')
  assert.match(expunged, /^\* VANISHED 1:2\r\nOK \[HIGHESTMODSEQ \d+\] Expunged\r\n$/)
  assert.match(await client.command('FETCH 1:* UID'), /1 FETCH \(UID 3\)\r\n\* 2 FETCH \(UID 5\)/)
  // The code is the mailbox's state: nothing is left to tell.
  assert.match(
    await client.command('STATUS INBOX (HIGHESTMODSEQ)'),
    new RegExp(`HIGHESTMODSEQ ${/HIGHESTMODSEQ (\d+)/.exec(expunged)![1]!}\\)`),
  )
  const other = await room.login()
  await other.command('SELECT INBOX')
  assert.match(await other.command('MOVE 2 Trash'), /\* 2 EXPUNGE\r\nOK Moved/)
  assert.match(await client.command('NOOP'), /^\* VANISHED 5\r\nOK/)
  assert.match(
    await client.command('UID MOVE 3 Trash'),
    /\* VANISHED 3\r\nOK \[HIGHESTMODSEQ \d+\] M/,
  )
  await client.append('INBOX', mail)
  await client.command('STORE 1 +FLAGS.SILENT (\\Deleted)')
  assert.match(await client.command('CLOSE'), /^OK \[HIGHESTMODSEQ \d+\] Closed/)
})

test('SELECT brings a client up to date that knows an earlier state (RFC 7162 §3.2.5)', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 6)
  assert.match(await client.command('SELECT INBOX (QRESYNC (1 1))'), /^BAD ENABLE QRESYNC/)
  await client.command('ENABLE QRESYNC')
  const state = stateIn(await client.command('SELECT INBOX'))
  await client.command('UNSELECT')

  const other = await room.login()
  await other.command('SELECT INBOX')
  await other.command('STORE 2,5 +FLAGS.SILENT (\\Deleted)')
  await other.command('STORE 3 +FLAGS.SILENT (\\Flagged)')
  await other.command('EXPUNGE')
  await other.append('INBOX', mail)

  const answer = await client.command(`SELECT INBOX (QRESYNC (${state}))`)
  assert.match(answer, /\* 5 EXISTS\r\n/)
  assert.match(
    answer,
    /\* VANISHED \(EARLIER\) 2,5\r\n\* 2 FETCH \(UID 3 FLAGS \(\\Flagged\) MODSEQ \(\d+\)\)\r\n\* 5 FETCH \(UID 7 FLAGS \(\) MODSEQ \(\d+\)\)\r\nOK \[READ-WRITE\]/,
  )
  // Only of what the client knows.
  const known = await client.command(`SELECT INBOX (QRESYNC (${state} 1:2,7))`)
  assert.match(known, /\* VANISHED \(EARLIER\) 2\r\n\* 5 FETCH \(UID 7 [^\r]*\r\nOK/)
  // Numbers that agree: nothing below them has gone (RFC 7162 §3.2.5.2).
  const agreed = await client.command(`SELECT INBOX (QRESYNC (${state} 1:9 (1,2,3 1,3,4)))`)
  assert.match(agreed, /\* VANISHED \(EARLIER\) 5\r\n/)
  const disagreed = await client.command(`SELECT INBOX (QRESYNC (${state} 1:9 (1,2,3 1,2,3)))`)
  assert.match(disagreed, /\* VANISHED \(EARLIER\) 2,5\r\n/)
  const elsewhere = `SELECT INBOX (QRESYNC (1 ${state.split(' ')[1]!}))`
  const renumbered = await client.command(elsewhere)
  assert.doesNotMatch(renumbered, /VANISHED|FETCH/) // another UIDVALIDITY
  const now = stateIn(renumbered)
  assert.doesNotMatch(await client.command(`EXAMINE INBOX (QRESYNC (${now}))`), /VANISHED|FETCH/)
  for (const wrong of ['(0 1)', '(1 0)', '(1 1 1:*)', '(1 1 1:2 (1:* 1))', '(1)', '(1 1 1 (1))'])
    assert.match(await client.command(`SELECT INBOX (QRESYNC ${wrong})`), /^BAD/, wrong)
})

test('SELECT of a large mailbox tells by QRESYNC the same', async (t) => {
  const room = await imapRoom(t, { limits: { rowsAtSelectMax: 2 } })
  const client = await filled(room, 4)
  await client.command('ENABLE QRESYNC')
  const state = stateIn(await client.command('SELECT INBOX'))
  await client.command('STORE 3 +FLAGS (\\Deleted)')
  await client.command('CLOSE')
  assert.match(
    await client.command(`SELECT INBOX (QRESYNC (${state}))`),
    /\* 3 EXISTS\r\n[^]*\* VANISHED \(EARLIER\) 3\r\nOK/,
  )
})

test('UID FETCH tells what has gone since (RFC 7162 §3.2.6)', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 5)
  const since = stateIn(await client.command('SELECT INBOX')).split(' ')[1]!
  const ask = `UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${since} VANISHED)`
  assert.match(await client.command(ask), /^BAD ENABLE QRESYNC/)
  await client.command('ENABLE QRESYNC')
  const other = await room.login()
  await other.command('SELECT INBOX')
  await other.command('STORE 2,5 +FLAGS.SILENT (\\Deleted)')
  await other.command('EXPUNGE')
  // Whoever has a number for them hears it as the loss of that number, and once.
  const first = await client.command(ask)
  assert.match(first, /\* VANISHED 2,5\r\nOK/)
  assert.doesNotMatch(first, /EARLIER/)
  assert.match(await client.command(ask), /^\* VANISHED \(EARLIER\) 2,5\r\nOK/)
  const some = `UID FETCH 1:4 (FLAGS) (VANISHED CHANGEDSINCE ${since})`
  assert.match(await client.command(some), /^\* VANISHED \(EARLIER\) 2\r\nOK/)
  assert.match(await client.command(`FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)`), /^BAD/)
  assert.match(await client.command(`UID FETCH 1 FLAGS (VANISHED)`), /^BAD/)
})

test('CLOSE names no MODSEQ up to which others did what was never told (RFC 7162 §3.2.8)', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 6)
  await client.command('ENABLE QRESYNC')
  const other = await room.login()
  await other.command('SELECT INBOX')
  const closes = async (by: readonly string[]): Promise<string> => {
    await client.command('SELECT INBOX')
    await client.command('STORE 1 +FLAGS.SILENT (\\Deleted)')
    await other.command('NOOP')
    for (const command of by) await other.command(command)
    return client.command('CLOSE')
  }
  assert.match(await closes([]), /^OK \[HIGHESTMODSEQ \d+\] Closed/)
  assert.match(await closes(['STORE 2 +FLAGS.SILENT (\\Flagged)']), /^OK Closed/)
  assert.match(await closes(['MOVE 2 Trash']), /^OK Closed/)
  assert.match(await closes(['COPY 2 INBOX']), /^OK Closed/)
  // What the client knows to be \\Deleted may go by another's hand.
  assert.match(await closes(['EXPUNGE']), /^OK \[HIGHESTMODSEQ \d+\] Closed/)
})

test('whatever enables CONDSTORE tells from where on (RFC 7162 §3.1.2.1)', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 2)
  const highest = /HIGHESTMODSEQ \d+/.exec(await client.command('SELECT INBOX'))![0]
  assert.match(
    await client.command('FETCH 1 (MODSEQ)'),
    new RegExp(`^\\* OK \\[${highest}\\] [^\r]*\r\n\\* 1 FETCH`),
  )
  assert.doesNotMatch(await client.command('FETCH 1 (MODSEQ)'), /HIGHESTMODSEQ/)
  const other = await room.login()
  await other.command('SELECT INBOX')
  await client.command('STORE 1 +FLAGS.SILENT (\\Seen)')
  // Not that of what it has still to be told.
  assert.match(
    await other.command('ENABLE CONDSTORE'),
    new RegExp(`^\\* OK \\[${highest}\\] [^]*\\* 1 FETCH \\(UID 1 FLAGS \\(\\\\Seen\\) MODSEQ`),
  )
})
