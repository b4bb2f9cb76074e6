import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import type { ImapRoomUnderTest } from '#test/fake/imap-room.ts'
import type { LineClient } from '#test/fake/line-client.ts'

const mail = (n: number) => fromUtf8(`Subject: ${n}\r\n\r\n本文 ${n}`)

/** A room whose store commits, and then does not answer what is in the mailbox while `isAway`. */
async function forgetful(
  t: TestContext,
  limits: { readonly rowsAtSelectMax?: number } = {},
): Promise<{
  readonly room: ImapRoomUnderTest
  readonly client: LineClient
  readonly away: (is: boolean) => void
}> {
  const room = await imapRoom(t, { limits })
  const { view } = room.store
  let isAway = false
  room.store.view = async (ask) => {
    if (isAway) throw new Fault('stalled', '止まった')
    return view(ask)
  }
  return { room, client: await room.login(), away: (is) => (isAway = is) }
}

const messages = async (client: LineClient): Promise<string | undefined> =>
  /MESSAGES (\d+)/.exec(await client.command('STATUS INBOX (MESSAGES)'))?.[1]

for (const [name, limits] of [
  ['with its rows in memory', {}],
  ['whose rows nobody has read', { rowsAtSelectMax: -1 }],
] as const)
  test(`APPEND to a mailbox ${name} is OK once it is durable; it is told when it can be seen`, async (t) => {
    const { client, away } = await forgetful(t, limits)
    await client.command('SELECT INBOX')
    away(true)
    const answer = await client.append('INBOX', mail(1))
    assert.match(answer, /^t\d+ OK \[APPENDUID \d+ 1\]/m)
    assert.doesNotMatch(answer, /EXISTS/)
    assert.equal(await messages(client), '1')
    away(false)
    // Whichever command comes next tells it, and no second one does.
    assert.match(await client.command('UID FETCH 1 (UID)'), /^\* 1 EXISTS\r$/m)
    assert.match(await client.command('FETCH 1 (UID)'), /^\* 1 FETCH \(UID 1\)\r\nOK/)
    assert.equal(await messages(client), '1')
  })

test('STORE, EXPUNGE, COPY and MOVE are OK likewise, and what they did is told later', async (t) => {
  const { client, away } = await forgetful(t)
  for (let n = 1; n <= 4; n++) await client.append('INBOX', mail(n))
  await client.command('SELECT INBOX')

  away(true)
  assert.match(await client.command('STORE 1 +FLAGS (\\Deleted)'), /^OK/)
  away(false)
  assert.match(await client.command('NOOP'), /^\* 1 FETCH \(.*FLAGS \(\\Recent \\Deleted\)/m)

  away(true)
  assert.match(await client.command('EXPUNGE'), /^OK Expunged/)
  // Numbers stay as they were told until the EXPUNGE is.
  assert.match(await client.command('FETCH 2 (UID)'), /^\* 2 FETCH \(UID 2\)/m)
  away(false)
  assert.match(await client.command('NOOP'), /^\* 1 EXPUNGE\r\nOK/)

  away(true)
  assert.match(await client.command('COPY 1 INBOX'), /^OK \[COPYUID \d+ 2 5\]/)
  assert.match(await client.command('MOVE 2 Trash'), /^\* OK \[COPYUID \d+ 3 1\] Moved\r\nOK/)
  away(false)
  const told = await client.command('NOOP')
  assert.match(told, /^\* 2 EXPUNGE\r\n\* 3 EXISTS\r\n/)
  assert.deepEqual(
    [...(await client.command('UID FETCH 1:* (UID)')).matchAll(/UID (\d+)\)/g)].map(([, n]) => n),
    ['2', '4', '5'],
  )
})

test('\\Seen that reading set is told later where it cannot be looked at', async (t) => {
  const { client, away } = await forgetful(t)
  await client.append('INBOX', mail(1))
  await client.command('SELECT INBOX')
  away(true)
  const read = await client.command('FETCH 1 BODY[TEXT]')
  assert.match(read, /BODY\[TEXT\] \{8\}\r\n[^]*\)\r\nOK/)
  assert.doesNotMatch(read, /Seen/)
  away(false)
  assert.match(await client.command('NOOP'), /^\* 1 FETCH \(.*FLAGS \(\\Recent \\Seen\)/m)
})

test('a change that storage did not take is NO', async (t) => {
  const { room, client } = await forgetful(t)
  await client.append('INBOX', mail(1))
  await client.command('SELECT INBOX')
  room.store.commit = () => Promise.reject(new Fault('stalled', '止まった'))
  assert.match(await client.append('INBOX', mail(2)), /^t\d+ NO \[UNAVAILABLE\]/m)
  assert.match(await client.command('STORE 1 +FLAGS (\\Seen)'), /^NO \[UNAVAILABLE\]/m)
})
