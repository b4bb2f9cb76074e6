import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { after, before, describe, it } from 'node:test'

import { install } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap, pushes, USING } from './jmap.ts'
import type { JmapClient, Pushed } from './jmap.ts'
import { utf8 } from './mails.ts'
import { ask, pop3 } from './pop3.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'
import { smtpSession, transact } from './wire.ts'

const SPAM = 'Junk/SPAM'
const DAY_MS = 86_400_000

/** Each way by which a mailbox changes: what is done, where, and what IDLE says of it. */
interface Way {
  readonly name: string
  readonly box: string
  readonly told: RegExp
  readonly act: () => Promise<unknown>
}

describe('changes are pushed to IDLE and to the event source', () => {
  let watari: Installation
  let other: RawImap
  let hanako: JmapClient
  let news: AsyncGenerator<Pushed>
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    other = await rawImap(watari, 'hanako')
    await other.command('SELECT INBOX')
    hanako = await jmap(watari, 'hanako')
    const url = hanako.session['eventSourceUrl']!.replace('{types}', 'Email')
      .replace('{closeafter}', 'no')
      .replace('{ping}', '0')
    news = pushes(await hanako.fetch(url))
  })
  after(async () => {
    other.close()
    await watari.remove()
  })

  const imap = async (command: string): Promise<void> =>
    assert.match(await other.command(command), /^t\d+ OK /m)
  const verb = async (...args: readonly string[]): Promise<void> => {
    const ran = await watari.watari(['mailbox', ...args])
    assert.equal(ran.status, 0, ran.stderr)
    assert.match(ran.stdout, / 1 messages?/)
  }
  const set = async (args: (id: string) => Record<string, unknown>): Promise<void> => {
    const { ids } = await hanako.call('Email/query', { limit: 1 })
    const answer = await hanako.call('Email/set', args(ids[0]))
    assert.deepEqual({ ...answer.notUpdated, ...answer.notDestroyed }, {})
  }
  const deliver = async (): Promise<void> => {
    const session = await smtpSession({ port: watari.port(24), greeting: 'LHLO' })
    const to = 'hanako@campus.example'
    const reply = await transact(session, { from: '', to, content: utf8('渡り\r\n') })
    assert.match(reply, /^250 /)
    session.close()
  }
  const takeByPop3 = async (): Promise<void> => {
    const pop = await pop3(watari)
    for (const line of ['DELE 1', 'QUIT']) assert.match(await ask(pop, line), /^\+OK/)
    pop.close()
  }

  const ways: readonly Way[] = [
    {
      name: 'IMAP APPEND',
      box: 'INBOX',
      told: /^\* 1 EXISTS$/,
      act: () => other.append('INBOX', utf8('会議\r\n')),
    },
    {
      name: 'IMAP STORE',
      box: 'INBOX',
      told: /^\* 1 FETCH \(UID 1 FLAGS \(\\Flagged\)\)$/,
      act: () => imap('STORE 1 +FLAGS.SILENT (\\Flagged)'),
    },
    {
      name: 'JMAP Email/set update',
      box: 'INBOX',
      told: /^\* 1 FETCH \(UID 1 FLAGS \(\\Seen \\Flagged\)\)$/,
      act: () => set((id) => ({ update: { [id]: { 'keywords/$seen': true } } })),
    },
    {
      name: 'IMAP MOVE',
      box: SPAM,
      told: /^\* 1 EXISTS$/,
      act: () => imap(`UID MOVE 1 ${SPAM}`),
    },
    {
      name: 'watari mailbox expire',
      box: SPAM,
      told: /^\* 1 EXPUNGE$/,
      act: () =>
        verb('expire', '--as-of', new Date(Date.now() + 31 * DAY_MS).toISOString().slice(0, 10)),
    },
    {
      name: 'watari mailbox undelete',
      box: SPAM,
      told: /^\* 1 EXISTS$/,
      act: () => verb('undelete', 'hanako'),
    },
    {
      name: 'JMAP Email/set destroy',
      box: SPAM,
      told: /^\* 1 EXPUNGE$/,
      act: () => set((id) => ({ destroy: [id] })),
    },
    { name: 'LMTP', box: 'INBOX', told: /^\* 1 EXISTS$/, act: deliver },
    { name: 'POP3 QUIT', box: 'INBOX', told: /^\* 1 EXPUNGE$/, act: takeByPop3 },
  ]
  for (const { name, box, told, act } of ways)
    it(`by ${name}`, async () => {
      const idler = await rawImap(watari, 'hanako')
      await idler.command(`SELECT ${box}`)
      idler.send('i IDLE\r\n')
      await idler.until(/^\+ /)
      const { state: before } = await hanako.call('Email/get', { ids: [] })
      await act()
      await idler.until(told)
      const { state } = await hanako.call('Email/get', { ids: [] })
      assert.notEqual(state, before)
      for (let heard: string | undefined; heard !== state;) {
        const { value } = await news.next()
        heard = (value as Pushed).changed[hanako.accountId]?.['Email']
      }
      idler.close()
    })

  it('to a WebSocket, which carries requests as well (RFC 8887)', async () => {
    const capabilities = hanako.session['capabilities'] as unknown as Record<
      string,
      { url: string }
    >
    const login = Buffer.from(`hanako:${watari.password('hanako')}`).toString('base64')
    const socket = new WebSocket(capabilities['urn:ietf:params:jmap:websocket']!.url, {
      protocols: ['jmap'],
      headers: { authorization: `Basic ${login}` },
    })
    const messages = on(socket, 'message')
    const next = async (): Promise<Readonly<Record<string, unknown>>> => {
      const { value } = (await messages.next()) as { value: [{ data: string }] }
      return JSON.parse(value[0].data) as Record<string, unknown>
    }
    await once(socket, 'open')
    socket.send(JSON.stringify({ '@type': 'WebSocketPushEnable', dataTypes: ['Email'] }))
    const calls = [['Mailbox/get', { accountId: hanako.accountId, properties: ['name'] }, 'c']]
    const request = { '@type': 'Request', id: '渡り', using: USING, methodCalls: calls }
    socket.send(JSON.stringify(request))
    const { requestId, methodResponses } = await next()
    assert.equal(requestId, '渡り')
    assert.match(JSON.stringify(methodResponses), /"name":"Inbox"/i)
    await deliver()
    const { changed } = await next()
    assert.match(JSON.stringify(changed), /"Email":/)
    socket.close()
    await once(socket, 'close')
  })
})
