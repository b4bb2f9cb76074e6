import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

const mail = (n: number): string =>
  `Subject: =?utf-8?B?${Buffer.from(`会議 ${n}`).toString('base64')}?=\r\n\r\n資料その${n}。\r\n`

const bodies = (answer: string): number[] =>
  [...answer.matchAll(/^\* (\d+) FETCH /gm)].map(([, seq]) => Number(seq))

test('a damaged message costs no other: FETCH tells all that are whole, then NO (RFC 5530 §3)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  for (let n = 1; n <= 300; n++) await client.append('INBOX', fromUtf8(mail(n)))
  await client.command('SELECT INBOX')
  room.store.blobs.rot('content', '資料その77。')
  room.store.blobs.rot('content', '資料その250。')
  const whole = Array.from({ length: 300 }, (_, index) => index + 1).filter(
    (seq) => seq !== 77 && seq !== 250,
  )
  for (const items of ['BODY[]', '(UID FLAGS BODY.PEEK[] ENVELOPE)']) {
    const answer = await client.command(`FETCH 1:* ${items}`)
    assert.deepEqual(bodies(answer), whole)
    assert.match(answer, /NO \[CORRUPTION\] A message is damaged/)
  }
  assert.match(await client.command('FETCH 77 BODY.PEEK[]'), /^NO \[CORRUPTION\]/)
  assert.match(await client.command('FETCH 78 BODY.PEEK[]'), /OK Fetched/)
  // All that is known without the octets stays: it can be seen, filed and deleted.
  assert.match(await client.command('FETCH 77 (ENVELOPE BODYSTRUCTURE)'), /5Lya6K2wIDc3[\s\S]*OK/)
  assert.match(await client.command('SEARCH TEXT 資料その78'), /^\* SEARCH 78\r\n/)
  assert.match(await client.command('COPY 77 Archive'), /^OK/)
  assert.match(await client.command('STORE 77 +FLAGS (\\Deleted)'), /OK/)
  assert.match(await client.command('EXPUNGE'), /\* 77 EXPUNGE\r\n[\s\S]*OK/)
})

test('what was parsed of a message is parsed anew where it is damaged', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  for (let n = 1; n <= 3; n++) await client.append('INBOX', fromUtf8(mail(n)))
  await client.command('SELECT INBOX')
  const asked = 'FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY.PEEK[TEXT])'
  const before = await client.command(asked)
  const other = await room.login()
  await other.command('EXAMINE INBOX')
  room.store.blobs.rot('meta', '資料その2')
  assert.equal(await client.command(asked), before)
  assert.equal(await other.command(asked), before)
  // Neither is left: the message stays in its place, as one that shows nothing.
  room.store.blobs.rot('content', '資料その2。')
  const answer = await other.command('FETCH 1:* (UID BODY.PEEK[])')
  assert.deepEqual(bodies(answer), [1, 3])
  assert.match(answer, /NO \[CORRUPTION\]/)
})

test('a disk that reads nothing is no damage: NO for now (RFC 5530 §3 UNAVAILABLE)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  await client.append('INBOX', fromUtf8(mail(1)))
  await client.command('SELECT INBOX')
  room.store.blobs.faults.read = new Fault('io', 'EIO')
  assert.match(await client.command('FETCH 1 BODY.PEEK[]'), /^NO \[UNAVAILABLE\]/)
  delete room.store.blobs.faults.read
  assert.match(await client.command('FETCH 1 BODY.PEEK[]'), /OK Fetched/)
})
