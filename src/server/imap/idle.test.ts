import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyOctets, fromUtf8 } from '#base/octets.ts'
import { FakeClock, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { MailboxViews } from './view/mailbox-views.ts'
import { Selected } from './view/selected.ts'

const ACCOUNT = 'account-hanako' as AccountId

test('who looks and finds nothing new wakes nobody else who has the mailbox open', async () => {
  const store = new FakeMailboxStore()
  const views = new MailboxViews(store, store.changes)
  const { mailboxes } = await store.mailboxes({ accountId: ACCOUNT })
  const inbox = mailboxes.find(({ path }) => path[0] === 'INBOX')!
  const view = (await views.open({ accountId: ACCOUNT }, inbox))!
  const idler = new Selected(view, false)
  let woken = 0
  idler.onChange = () => woken++
  for (let look = 0; look < 5; look++) await view.refresh()
  assert.equal(woken, 0)
  assert.equal(idler.upToDate, true)
  await store.commit({
    contents: [{ octets: [emptyOctets] }],
    commits: [
      {
        accountId: ACCOUNT,
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
  await view.refresh()
  assert.ok(woken > 0)
  assert.equal(idler.take({ expunge: true }).exists, 1)
  views.close()
})

test('a session whose account may be in no longer is told so and ends, also in IDLE', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock })
  const [idler, other] = [await room.login(), await room.login('taro')]
  await idler.command('SELECT INBOX')
  idler.send('i IDLE\r\n')
  assert.match(await idler.line(), /^\+ /)
  room.authenticator.fallen.add('account-hanako' as AccountId)
  clock.advance(10 * SECOND_MS)
  assert.match(await idler.line(), /^i OK/)
  assert.match(await idler.line(), /^\* BYE This login may not be used any longer/)
  assert.match(await other.command('NOOP'), /^OK/)
})

test('IDLE tells each change, keeps silent connections alive, and ends by DONE (RFC 2177 §3)', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock })
  const [idler, writer] = [await room.login(), await room.login()]
  await idler.command('SELECT INBOX')
  idler.send('i IDLE\r\n')
  assert.match(await idler.line(), /^\+ /)
  for (let n = 1; n <= 3; n++) {
    await writer.append('INBOX', fromUtf8(`Subject: 渡り鳥 ${n}\r\n\r\n渡る\r\n`))
    assert.match(await idler.line(), new RegExp(`^\\* ${n} EXISTS`))
    assert.equal(await idler.line(), `* ${n} RECENT`)
  }
  clock.advance(4 * MINUTE_MS)
  assert.match(await idler.line(), /^\* OK Still here/)
  clock.advance(4 * MINUTE_MS)
  assert.match(await idler.line(), /^\* OK Still here/)
  await writer.append('INBOX', fromUtf8('Subject: 四\r\n\r\n四\r\n'))
  assert.match(await idler.line(), /^\* 4 EXISTS/)
  assert.equal(await idler.line(), '* 4 RECENT')
  idler.send('DONE\r\n')
  assert.match(await idler.line(), /^i OK/)
  idler.send('j IDLE\r\nx\r\n')
  assert.match(await idler.line(), /^\+ /)
  assert.match(await idler.line(), /^j BAD/)
})

test('clients that are gone as they begin to idle end nobody else', async (t) => {
  const room = await imapRoom(t)
  const other = await room.login()
  for (let n = 0; n < 20; n++) {
    const client = await room.login()
    await client.command('SELECT INBOX')
    client.send('i IDLE\r\n')
    client.socket.resetAndDestroy()
  }
  while (room.listener.connections() > 1) await new Promise(setImmediate)
  assert.match(await other.command('NOOP'), /^OK/)
})
