import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapFlow } from 'imapflow'
import { fromUtf8 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

test('a mail program works with Japanese mailboxes, mail, searches and passwords', async (t) => {
  const room = await imapRoom(t, { tls: 'implicit', withTls: true, allowPlaintext: false })
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: room.port,
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: 'hanako', pass: '渡り 鳥&"1' },
    logger: false,
  })
  await client.connect()
  t.after(() => client.close())
  const created = await client.mailboxCreate(['議事録', '令和８年'])
  assert.equal(created.path, '議事録/令和８年')
  const tree = await client.list({ statusQuery: { messages: true } })
  assert.ok(tree.some(({ path }) => path === '議事録/令和８年'))
  assert.equal(tree.find(({ specialUse }) => specialUse === '\\Junk')?.path, 'Junk')

  const source = fromUtf8(
    'From: =?UTF-8?B?6Iqx5a2Q?= <hanako@campus.example>\r\nSubject: =?UTF-8?B?5rih44KK6bOl?=\r\n' +
      'Content-Type: text/plain; charset=utf-8\r\n\r\n会議は三時から\r\n',
  )
  const appended = await client.append('議事録/令和８年', Buffer.from(source), ['\\Seen', '$Work'])
  assert.ok(appended !== false && appended.uid === 1)
  const lock = await client.getMailboxLock('議事録/令和８年')
  try {
    const message = await client.fetchOne('1', {
      envelope: true,
      source: true,
      flags: true,
      bodyStructure: true,
      threadId: true,
    })
    assert.ok(message !== false)
    assert.equal(message.envelope?.subject, '渡り鳥')
    assert.equal(message.envelope?.from?.[0]?.name, '花子')
    assert.deepEqual(Uint8Array.from(message.source ?? []), Uint8Array.from(source))
    assert.ok(message.flags?.has('$Work'))
    assert.equal(message.bodyStructure?.type, 'text/plain')
    assert.deepEqual(await client.search({ body: '会議' }), [1])
    assert.deepEqual(await client.search({ subject: '渡り鳥', seen: true }, { uid: true }), [1])
    assert.deepEqual(await client.search({ from: '太郎' }), [])
    await client.messageFlagsAdd('1', ['\\Flagged'])
    const moved = await client.messageMove('1', 'Archive')
    assert.ok(moved !== false && moved.uidMap?.get(1) === 1)
  } finally {
    lock.release()
  }
  const status = await client.status('Archive', {
    messages: true,
    uidNext: true,
    highestModseq: true,
  })
  assert.ok(status !== false && status.messages === 1)
  await client.mailboxRename('議事録', '記録')
  await client.mailboxDelete('記録/令和８年')
  await client.logout()
})
