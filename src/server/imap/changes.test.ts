import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { fakeAccount } from '#test/fake/authenticator.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import { MESSAGES_AT_ONCE } from '#store/mailbox/commit.ts'
import type { CommitRequest } from '#store/mailbox/commit.ts'
import type { ImapRoomUnderTest } from '#test/fake/imap-room.ts'
import type { LineClient } from '#test/fake/line-client.ts'

const mail = fromUtf8('Subject: x\r\n\r\n渡り\r\n')

async function filled(room: ImapRoomUnderTest, count: number): Promise<LineClient> {
  const client = await room.login()
  for (let i = 0; i < count; i++) await client.append('INBOX', mail)
  // By the second time nothing is recent.
  for (let i = 0; i < 2; i++) await client.command('SELECT INBOX')
  return client
}

test('STORE changes flags and tells them; SILENT does not (RFC 9051 §6.4.6)', async (t) => {
  const client = await filled(await imapRoom(t), 3)
  assert.equal(
    await client.command('STORE 1:2 +FLAGS (\\Flagged $Work)'),
    '* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work)\r\n' +
      '* 1 FETCH (FLAGS (\\Flagged $Work))\r\n* 2 FETCH (FLAGS (\\Flagged $Work))\r\nOK Stored\r\n',
  )
  assert.equal(await client.command('STORE 1 FLAGS.SILENT (\\Seen)'), 'OK Stored\r\n')
  assert.match(
    await client.command('UID STORE 2 -FLAGS (\\Flagged)'),
    /^\* 2 FETCH \(UID 2 FLAGS \(\$Work\)\)\r\nOK/,
  )
  assert.match(
    await client.command('FETCH 1:3 FLAGS'),
    /1 FETCH \(FLAGS \(\\Seen\)\).*2 FETCH \(FLAGS \(\$Work\)\).*3 FETCH \(FLAGS \(\)\)/s,
  )
  const many = Array.from({ length: 40 }, (_, i) => `k${i}`).join(' ')
  assert.match(await client.command(`STORE 3 +FLAGS (${many})`), /^NO \[LIMIT\]/)
})

test('conditional STORE leaves what changed meanwhile (RFC 7162 §3.1.3)', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 3)
  const status = await client.command('STATUS INBOX (HIGHESTMODSEQ)')
  const modSeq = /HIGHESTMODSEQ (\d+)/.exec(status)![1]!
  const other = await room.login()
  await other.command('SELECT INBOX')
  await other.command('STORE 2 +FLAGS.SILENT (\\Flagged)')
  const answer = await client.command(`STORE 1:3 (UNCHANGEDSINCE ${modSeq}) +FLAGS (\\Answered)`)
  assert.match(answer, /\* 1 FETCH \(UID 1 FLAGS \(\\Answered\) MODSEQ \(\d+\)\)/)
  assert.match(answer, /\r\nOK \[MODIFIED 2\]/)
  assert.doesNotMatch(answer, /\* 2 FETCH [^\r]*Answered/)
  assert.match(
    await client.command(`FETCH 1:3 (FLAGS) (CHANGEDSINCE ${modSeq})`),
    /1 FETCH \(FLAGS \(\\Answered\) MODSEQ.*2 FETCH.*3 FETCH/s,
  )
  const silent = await client.command('UID STORE 1 +FLAGS.SILENT (\\Seen)')
  assert.match(silent, /^\* 1 FETCH \(UID 1 MODSEQ \(\d+\)\)\r\nOK/)
  assert.match(
    await client.command(`SEARCH MODSEQ ${BigInt(modSeq) + 1n}`),
    /^\* SEARCH 1 2 3 \(MODSEQ \d+\)/,
  )
})

test('thousands are changed and expunged in steps, and as one command', async (t) => {
  const room = await imapRoom(t)
  const rows = 2 * MESSAGES_AT_ONCE + 3
  const client = await room.login()
  const content = fromUtf8('Subject: =?UTF-8?B?5rih44KK?=\r\n\r\n渡り\r\n')
  const append = {
    kind: 'append',
    mailbox: { path: ['INBOX'], create: false },
    content: 0,
  } as const
  const change = { ...append, flags: 0, keywords: [], internalDateMs: 0 }
  const changes = Array.from({ length: rows }, () => change)
  const commits = [{ accountId: fakeAccount('hanako').id, changes }]
  await room.store.commit({ contents: [{ octets: [content] }], commits })
  await client.command('SELECT INBOX')
  const steps: number[] = []
  const { store } = room
  const commit = store.commit.bind(store)
  t.mock.method(store, 'commit', (request: CommitRequest) => {
    const first = request.commits[0]!.changes[0]!
    if ('uids' in first) steps.push(first.uids === 'all' ? -1 : first.uids.length)
    return commit(request)
  })
  assert.equal(await client.command('STORE 1:* +FLAGS.SILENT (\\Deleted)'), 'OK Stored\r\n')
  assert.deepEqual(steps.splice(0), [MESSAGES_AT_ONCE, MESSAGES_AT_ONCE, 3])
  // What the session has not seen yet goes with it, as RFC 9051 §6.4.3 has it.
  await (await room.login()).append('INBOX (\\Deleted)', mail)
  const answer = await client.command('EXPUNGE')
  assert.equal(answer.match(/^\* \d+ EXPUNGE\r$/gm)?.length, rows)
  assert.match(answer, /\r\nOK Expunged\r\n$/)
  assert.deepEqual(
    steps.filter((step) => step !== 0),
    [MESSAGES_AT_ONCE, MESSAGES_AT_ONCE, -1],
  )
  assert.match(await client.command('STATUS INBOX (MESSAGES)'), /\(MESSAGES 0\)/)
})

test('what another session changes is told, EXPUNGE where it may be', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 4)
  const other = await room.login()
  await other.command('SELECT INBOX')
  assert.match(await other.command('STORE 2,4 +FLAGS.SILENT (\\Deleted)'), /^OK/)
  assert.match(await other.command('EXPUNGE'), /^\* 4 EXPUNGE\r\n\* 2 EXPUNGE\r\nOK/)
  await other.append('INBOX', mail)

  // FETCH by numbers tells no EXPUNGE, and numbers hold (RFC 9051 §7.5.1); gone mail is readable.
  const fetched = await client.command('FETCH 2:3 (UID BODY.PEEK[TEXT])')
  assert.doesNotMatch(fetched, /EXPUNGE/)
  assert.match(fetched, /\* 2 FETCH \(UID 2 .*\* 3 FETCH \(UID 3 /s)
  const noop = await client.command('NOOP')
  assert.match(noop, /^\* 4 EXPUNGE\r\n\* 2 EXPUNGE\r\n/)
  assert.match(
    await client.command('FETCH 1:* UID'),
    /1 FETCH \(UID 1\)\r\n\* 2 FETCH \(UID 3\)\r\n\* 3 FETCH \(UID 5\)\r\nOK/,
  )
  assert.match(await client.command('FETCH 4 UID'), /^BAD/)
  await other.command('STORE 1 FLAGS (\\Answered)')
  assert.match(await client.command('NOOP'), /^\* 1 FETCH \(UID 1 FLAGS \(\\Answered\)\)\r\nOK/)
  assert.equal(await client.command('NOOP'), 'OK Done\r\n')
})

test('what others change is told also to one that stores at the same time (RFC 9051 §6.4.6)', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 3)
  const other = await room.login()
  await other.command('SELECT INBOX')
  await client.command('STORE 1 FLAGS (\\Seen)')
  // Nothing of its own changes: the newest MODSEQ is the other's.
  await other.command('STORE 2 +FLAGS.SILENT (\\Flagged)')
  assert.match(
    await client.command('STORE 1 +FLAGS.SILENT (\\Seen)'),
    /^\* 2 FETCH \(UID 2 FLAGS \(\\Flagged\)\)\r\nOK/,
  )
  // The other's change, and then its own of the same message.
  await other.command('STORE 3 +FLAGS.SILENT (\\Flagged)')
  assert.match(
    await client.command('STORE 3 +FLAGS.SILENT (\\Answered)'),
    /^\* 3 FETCH \((?:UID 3 )?FLAGS \(\\Answered \\Flagged\)\)\r\nOK/,
  )
  // Both at once.
  const { commit } = room.store
  room.store.commit = async (request) => {
    const [mine] = request.commits
    const change = mine?.changes[0]
    assert.ok(mine !== undefined && change?.kind === 'setFlags')
    const others = { ...change, flags: 0, keywords: ['$Work'] }
    const answer = await commit({ ...request, commits: [{ ...mine, changes: [others, change] }] })
    const [result] = answer.results
    assert.ok(result?.kind === 'committed')
    return { ...answer, results: [{ ...result, results: result.results.slice(1) }] }
  }
  assert.match(
    await client.command('STORE 1 +FLAGS.SILENT (\\Answered $Mine)'),
    /^\* FLAGS [^\r]*\r\n\* 1 FETCH \(FLAGS \(\\Seen \\Answered \$Work \$Mine\)\)\r\nOK/,
  )
})

test('IDLE tells at once, and ends with DONE (RFC 2177 §3)', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock })
  const client = await filled(room, 1)
  client.send('i IDLE\r\n')
  assert.equal(await client.line(), '+ idling')
  const other = await room.login()
  await other.append('INBOX', mail)
  assert.equal(await client.line(), '* 2 EXISTS')
  assert.equal(await client.line(), '* 1 RECENT')
  await other.command('SELECT INBOX')
  await other.command('STORE 1 +FLAGS.SILENT (\\Seen \\Deleted)')
  assert.match(await client.line(), /^\* 1 FETCH \(UID 1 FLAGS \(\\Seen \\Deleted\)\)/)
  await other.command('CLOSE')
  assert.equal(await client.line(), '* 1 EXPUNGE')
  clock.advance(5 * 60_000)
  assert.equal(await client.line(), '* OK Still here')
  client.send('done\r\n')
  assert.match(await client.line(), /^i OK/)
  client.send('j IDLE\r\n')
  assert.equal(await client.line(), '+ idling')
  client.send('NOOP\r\n')
  assert.match(await client.line(), /^j BAD/)
  assert.match(await client.command('NOOP'), /^OK/)
})

test('COPY and MOVE say where messages went (RFC 4315 §3, RFC 6851 §4.3)', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 3)
  await client.command('STORE 1 FLAGS.SILENT (\\Seen $Work)')
  assert.match(await client.command('COPY 1,3 Archive'), /^OK \[COPYUID \d+ 1,3 1:2\]/)
  assert.match(await client.command('COPY 1 none'), /^NO \[TRYCREATE\]/)
  assert.match(
    await client.command('UID MOVE 1:2 Trash'),
    /^\* OK \[COPYUID \d+ 1:2 1:2\] Moved\r\n\* 2 EXPUNGE\r\n\* 1 EXPUNGE\r\nOK/,
  )
  assert.match(
    await client.command('COPY 1 INBOX'),
    /^\* 2 EXISTS\r\n\* 1 RECENT\r\nOK \[COPYUID \d+ 3 4\]/,
  )
  assert.match(await client.command('UID COPY 77 Trash'), /^OK/)
  await client.command('SELECT Archive')
  assert.match(
    await client.command('FETCH 1:2 FLAGS'),
    /1 FETCH \(FLAGS \(\\Recent \\Seen \$Work\)\)/,
  )
})

test('UID EXPUNGE takes only what it names, CLOSE takes all and is silent', async (t) => {
  const room = await imapRoom(t)
  const client = await filled(room, 4)
  await client.command('STORE 1:3 +FLAGS.SILENT (\\Deleted)')
  assert.match(await client.command('UID EXPUNGE 2,4'), /^\* 2 EXPUNGE\r\nOK/)
  assert.match(await client.command('CLOSE'), /^OK/)
  assert.match(await client.command('STATUS INBOX (MESSAGES)'), /MESSAGES 1/)
})

test('a mailbox that is deleted ends the sessions that have it open', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  await client.command('CREATE Work')
  await client.command('SELECT Work')
  client.send('i IDLE\r\n')
  await client.line()
  const other = await room.login()
  assert.match(await other.command('DELETE Work'), /^OK/)
  assert.match(await client.closed(), /\* BYE The selected mailbox is gone/)
})

test('many at once: two clients append, flag and expunge, and agree at the end', async (t) => {
  const room = await imapRoom(t)
  const one = await filled(room, 20)
  const two = await room.login()
  await two.command('SELECT INBOX')
  const work = async (client: LineClient, offset: number): Promise<void> => {
    for (let i = 0; i < 30; i++) {
      await client.append('INBOX', mail)
      await client.command(`UID STORE ${i * 2 + offset} +FLAGS (\\Deleted)`)
      if (i % 5 === 0) await client.command('EXPUNGE')
      await client.command('UID FETCH 1:* (FLAGS)')
    }
  }
  await Promise.all([work(one, 1), work(two, 2)])
  await one.command('EXPUNGE')
  await two.command('NOOP')
  await one.command('NOOP')
  const seen = await Promise.all(
    [one, two].map((client) => client.command('FETCH 1:* (UID FLAGS)')),
  )
  const [a, b] = seen.map((text) => text.replaceAll('\\Recent', ''))
  assert.equal(a, b)
  // Each was new to one of them alone.
  const recent = [...seen.join('').matchAll(/UID (\d+) FLAGS \(\\Recent\)/g)].map(([, uid]) => uid)
  assert.deepEqual([recent.length, new Set(recent).size], [20, 20])
  assert.equal(seen[0]!.match(/FETCH/g)?.length, 20)
})
