import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { StorageChild } from '#app/storage/child-process.ts'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { Uid } from '#model/mailbox.ts'
import { imapShared, serveImap } from '#server/imap/serve.ts'
import { WEB_SESSIONS } from '#server/jmap/limits.ts'
import { serveJmap } from '#server/jmap/serve.ts'
import { BrowserSessions } from '#store/directory/browser-sessions.ts'
import type { MailboxChanged } from '#store/mailbox/mailbox-view.ts'
import { FakeAuthenticator, fakeAccount } from '#test/fake/authenticator.ts'
import { LineClient } from '#test/fake/line-client.ts'
import { peerRoot } from '#test/peers/root.ts'
import { median, type Part } from './setup.ts'

const MAILS = 100_000
const BATCH = 500
const PAGE = 50
const ROUNDS = 21
const account = fakeAccount('hanako')
const accountId: AccountId = account.id

/** The newest page of a large mailbox, by IMAP and by JMAP, from one storage child. */
export const lists: Part = {
  name: 'lists',
  what: `the newest ${PAGE} of ${MAILS} mails, ms: by IMAP beside JMAP`,
  async run(say) {
    const disk = dirname(peerRoot())
    mkdirSync(disk, { recursive: true })
    const dir = mkdtempSync(join(disk, 'lists-'))
    const listeners = new Set<(change: MailboxChanged) => void>()
    const storage = new StorageChild({
      kind: 'mailbox',
      dir,
      clock: systemClock,
      log: silentLog,
      onNotice: (_, payload) => {
        for (const tell of listeners) tell(payload as MailboxChanged)
      },
    })
    await storage.start()
    const ends: (() => Promise<unknown>)[] = [() => storage.stop()]
    try {
      await measure(say, { storage, listeners, ends })
    } finally {
      for (const end of ends.toReversed()) await end()
      rmSync(dir, { recursive: true, force: true })
    }
  },
}

type Say = (line: string) => void

interface Bench {
  readonly storage: StorageChild<'mailbox'>
  readonly listeners: Set<(change: MailboxChanged) => void>
  readonly ends: (() => Promise<unknown>)[]
}

async function measure(say: Say, { storage, listeners, ends }: Bench): Promise<void> {
  const store = storage.service('mailboxes')
  const file = (first: number, count: number): Promise<unknown> =>
    store.commit({
      contents: Array.from({ length: count }, (_, n) => ({ octets: [mail(first + n)] })),
      commits: [
        {
          accountId,
          changes: Array.from({ length: count }, (_, content) => ({
            kind: 'append',
            mailbox: { path: ['INBOX'], create: false },
            content,
            flags: (first + content) % 2,
            keywords: [],
            internalDateMs: Date.UTC(2026, 0, 1) + (first + content) * 60_000,
          })),
        },
      ],
    })
  for (let at = 0; at < MAILS; at += BATCH) await file(at, BATCH)
  const authenticator = new FakeAuthenticator({ hanako: 'x' })
  const changes = (listener: (change: MailboxChanged) => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const base = { authenticator, clock: systemClock, log: silentLog }
  const listener = await serveImap({
    ...base,
    listen: { address: '127.0.0.1', port: 0 },
    hostname: 'bench',
    allowPlaintext: true,
    shared: imapShared({ store, changes }),
  })
  ends.push(() => listener.close(0))
  const jmap = serveJmap({
    ...base,
    store,
    changes,
    directory: { account: () => account, domain: () => undefined },
    sessions: new BrowserSessions({ rules: WEB_SESSIONS, clock: systemClock }),
    hostname: 'bench',
    newDeliveryId: () => 'none',
    events: { emit: () => undefined },
    submitted: () => undefined,
  })
  const server = createServer((incoming, response) => void jmap.handle(incoming, response))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const agent = new Agent({ keepAlive: true })
  ends.push(async () => {
    agent.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const { mailboxes } = await store.mailboxes({ accountId })
  const inbox = mailboxes.find(({ use }) => use === 'inbox')!.id
  const call = (name: string, args: object, id: string) => [name, { accountId, ...args }, id]
  const query = (more: object) => call('Email/query', { limit: PAGE, ...more }, 'q')
  const get = call(
    'Email/get',
    {
      '#ids': { resultOf: 'q', name: 'Email/query', path: '/ids' },
      properties:
        'threadId mailboxIds keywords from subject receivedAt size preview hasAttachment'.split(
          ' ',
        ),
    },
    'g',
  )
  const ask = (...calls: unknown[]): Promise<string> => post(agent, port, calls)
  const filter = { inMailbox: inbox }

  const imap = LineClient.plain(listener.port)
  await imap.line()
  await imap.command('LOGIN hanako x')
  ends.push(async () => imap.end())
  const page = `${MAILS - PAGE + 1}:*`
  const items = '(UID FLAGS ENVELOPE INTERNALDATE RFC822.SIZE BODYSTRUCTURE EMAILID THREADID)'
  say(
    `IMAP  first SELECT and FETCH      ${await timed(1, async () => {
      await imap.command('SELECT INBOX')
      await imap.command(`FETCH ${page} ${items}`)
    })}`,
  )
  say(
    `IMAP  FETCH again                 ${await timed(ROUNDS, () => imap.command(`FETCH ${page} ${items}`))}`,
  )
  say(
    `IMAP  SELECT and FETCH again      ${await timed(ROUNDS, async () => {
      await imap.command('SELECT INBOX')
      await imap.command(`FETCH ${page} ${items}`)
    })}`,
  )
  say(
    `IMAP  SEARCH UNSEEN               ${await timed(ROUNDS, () => imap.command('UID SEARCH UNSEEN'))}`,
  )
  say(`JMAP  first query and get         ${await timed(1, () => ask(query({ filter }), get))}`)
  const jmapRounds: readonly (readonly [string, object])[] = [
    ['query and get', { filter }],
    ['with total', { filter, calculateTotal: true }],
    ['of threads, with total', { filter, collapseThreads: true, calculateTotal: true }],
    ['unseen, with total', { filter: { ...filter, notKeyword: '$seen' }, calculateTotal: true }],
    ['of the whole account', { calculateTotal: true }],
  ]
  for (const [what, more] of jmapRounds)
    say(`JMAP  ${what.padEnd(27)} ${await timed(ROUNDS, () => ask(query(more), get))}`)
  say(
    `JMAP  Mailbox/get                 ${await timed(ROUNDS, () => ask(call('Mailbox/get', {}, 'm')))}`,
  )
  let next = MAILS
  say(
    `JMAP  after each new mail         ${await timed(ROUNDS, async () => {
      await file(next++, 1)
      await ask(query({ filter, calculateTotal: true }), get)
    })}  (its filing included)`,
  )
  say(
    `JMAP  after each flag             ${await timed(ROUNDS, async () => {
      const uids = [(next - 5) as Uid]
      await store.commit({
        contents: [],
        commits: [
          {
            accountId,
            changes: [
              {
                kind: 'setFlags',
                mailboxId: inbox,
                uids,
                mode: next++ % 2 === 0 ? 'add' : 'remove',
                flags: 4,
                keywords: [],
              },
            ],
          },
        ],
      })
      await ask(query({ filter, calculateTotal: true }), get)
    })}  (its writing included)`,
  )
}

const mail = (n: number): Uint8Array =>
  fromUtf8(
    `From: 送信者${n % 100} <s${n % 100}@other.example>\r\nTo: hanako@campus.example\r\n` +
      `Subject: 会議のお知らせ ${n}\r\nMessage-ID: <${n}@other.example>\r\n` +
      `Date: Wed, 25 Nov 2026 10:00:00 +0900\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n本文 ${n}\r\n`,
  )

function post(agent: Agent, port: number, methodCalls: readonly unknown[]): Promise<string> {
  const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail']
  const body = JSON.stringify({ using, methodCalls })
  const authorization = `Basic ${Buffer.from('hanako:x').toString('base64')}`
  return new Promise((resolve, reject) => {
    const asked = request({
      agent,
      port,
      method: 'POST',
      path: '/jmap/api',
      headers: { authorization },
    })
    asked.once('error', reject)
    asked.once('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.once('end', () =>
        text.includes('["error"') ? reject(new Error(text)) : resolve(text),
      )
    })
    asked.end(body)
  })
}

async function timed(rounds: number, run: () => Promise<unknown>): Promise<string> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await run()
    times.push(performance.now() - began)
  }
  return `${median(times).toFixed(1).padStart(8)} ms`
}
