import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import type { ImapRoomUnderTest } from '#test/fake/imap-room.ts'
import type { LineClient } from '#test/fake/line-client.ts'

async function filled(room: ImapRoomUnderTest, count: number): Promise<LineClient> {
  const client = await room.login()
  for (let i = 1; i <= count; i++)
    await client.append('INBOX', fromUtf8(`Subject: 渡り${i}\r\n\r\nx\r\n`))
  await client.command('SELECT INBOX')
  return client
}

test('what SEARCH saves stands for $ until it is expunged (RFC 5182 §2.1)', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 6)
  assert.match(await client.command('FETCH $ UID'), /^OK/) // nothing is saved yet
  assert.equal(await client.command('SEARCH RETURN (SAVE) 2:4'), 'OK Searched\r\n')
  assert.match(
    await client.command('FETCH $ UID'),
    /^\* 2 FETCH \(UID 2\)\r\n\* 3 [^]*\* 4 FETCH \(UID 4\)\r\nOK/,
  )
  assert.match(await client.command('UID SEARCH $ NOT 3'), /^\* SEARCH 2 4\r/)
  assert.match(await client.command('SEARCH OR UID $ 6'), /^\* SEARCH 2 3 4 6\r/)
  assert.match(await client.command('UID STORE $ +FLAGS (\\Flagged)'), /\* 4 FETCH \(UID 4 FLAGS/)
  const other = await room.login()
  await other.command('SELECT INBOX')
  await other.command('STORE 1,3 +FLAGS.SILENT (\\Deleted)')
  await other.command('EXPUNGE')
  await client.command('NOOP')
  assert.match(
    await client.command('FETCH $ UID'),
    /^\* 1 FETCH \(UID 2\)\r\n\* 2 FETCH \(UID 4\)\r\nOK/,
  )
  assert.match(await client.command('COPY $ Archive'), /COPYUID \d+ 2,4 1:2\]/)
  // MIN and MAX save what they tell, COUNT saves all.
  assert.match(await client.command('SEARCH RETURN (SAVE MIN) ALL'), /MIN 1\r\n/)
  assert.match(await client.command('SEARCH $'), /^\* SEARCH 1\r/)
  await client.command('SEARCH RETURN (SAVE MIN MAX) ALL')
  assert.match(await client.command('SEARCH $'), /^\* SEARCH 1 4\r/)
  assert.match(await client.command('SEARCH RETURN (SAVE MIN COUNT) 2:4'), /MIN 2 COUNT 3\r\n/)
  assert.match(await client.command('SEARCH $'), /^\* SEARCH 2 3 4\r/)
  // NO empties it, BAD leaves it.
  assert.match(await client.command('SEARCH RETURN (SAVE) XYZ'), /^BAD/)
  assert.match(await client.command('SEARCH $'), /^\* SEARCH 2 3 4\r/)
  assert.match(
    await client.command('SEARCH RETURN (SAVE) CHARSET x-none TEXT a'),
    /^NO \[BADCHARSET/,
  )
  assert.match(await client.command('SEARCH $'), /^\* SEARCH\r/)
  assert.match(await client.command('UID EXPUNGE $'), /^OK/)
})

test('PARTIAL tells a window, from either end (RFC 9394 §3)', async (t) => {
  const client = await filled(await imapRoom(t), 6)
  await client.command('STORE 3 +FLAGS.SILENT (\\Flagged)')
  const search = async (text: string): Promise<string> =>
    (await client.command(text)).split('\r\n')[0]!
  assert.match(
    await search('UID SEARCH RETURN (PARTIAL 2:3 COUNT) UNFLAGGED'),
    /UID COUNT 5 PARTIAL \(2:3 2,4\)$/,
  )
  assert.match(
    await search('SEARCH RETURN (PARTIAL -1:-2) ALL'),
    /\(TAG "t\d+"\) PARTIAL \(-1:-2 5:6\)$/,
  )
  assert.match(await search('SEARCH RETURN (PARTIAL 7:9) ALL'), /PARTIAL \(7:9 NIL\)$/)
  assert.match(await search('SEARCH RETURN (PARTIAL -5:-9) ALL'), /PARTIAL \(-5:-9 1:2\)$/)
  assert.match(await search('SEARCH RETURN (SAVE PARTIAL 1:2) ALL'), /PARTIAL \(1:2 1:2\)$/)
  assert.equal(await search('SEARCH $'), '* SEARCH 1 2')
  assert.match(
    await client.command('UID FETCH 1:* (FLAGS) (PARTIAL -1:-2)'),
    /^\* 5 FETCH [^\r]*\r\n\* 6 FETCH [^\r]*\r\nOK/,
  )
  for (const wrong of [
    'PARTIAL 1:2 ALL',
    'PARTIAL 0:2',
    'PARTIAL 1:-2',
    'PARTIAL 1',
    'PARTIAL 1:2 PARTIAL 1:2',
  ])
    assert.match(await client.command(`SEARCH RETURN (${wrong}) ALL`), /^BAD/, wrong)
  assert.match(await client.command('FETCH 1:* (FLAGS) (PARTIAL 1:2)'), /^BAD/)
})

test('who waits for a search is told how far it has come (RFC 9585 §3)', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock })
  const client = await filled(room, 3)
  const { metas } = room.store
  room.store.metas = (ask) => {
    clock.advance(11_000)
    return metas(ask)
  }
  const answer = await client.command('SEARCH SUBJECT 渡り2')
  assert.match(answer, /^\* OK \[INPROGRESS \("t\d+" 3 3\)\] [^\r]*\r\n\* SEARCH 2\r\nOK/)
})
