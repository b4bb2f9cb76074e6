import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { StorageChild } from '#app/storage/child-process.ts'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { SECOND_MS, systemClock } from '#base/time.ts'
import { NO_MOMENT } from '#model/account-life.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import { imapShared, serveImap } from '#server/imap/serve.ts'
import { WEB_SESSIONS } from '#server/jmap/limits.ts'
import { serveJmap } from '#server/jmap/serve.ts'
import { BrowserSessions } from '#store/directory/browser-sessions.ts'
import type { CommitRequest } from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { MailboxChanged } from '#store/mailbox/mailbox-view.ts'
import { FakeAuthenticator, fakeAccount } from '#test/fake/authenticator.ts'
import { LineClient } from '#test/fake/line-client.ts'
import { peerRoot } from '#test/peers/root.ts'
import { median, type Part } from './setup.ts'

const MAILS = 100_000
const BATCH = 500
const PAGE = 50
const ROUNDS = 21
const COLD_ROUNDS = 5
const account = fakeAccount('hanako')
const accountId: AccountId = account.id

/** The newest page of a large mailbox, by IMAP and by JMAP, from one storage child. */
export const lists: Part = {
  name: 'lists',
  what: `the newest ${PAGE} of ${MAILS} mails, ms: by IMAP beside JMAP`,
  needsPeers: false,
  async run(say) {
    const disk = dirname(peerRoot())
    mkdirSync(disk, { recursive: true })
    const dir = mkdtempSync(join(disk, 'lists-'))
    try {
      await inServer(dir, async ({ file }) => {
        for (let at = 0; at < MAILS; at += BATCH) await file(at, BATCH)
      })
      await measureCold(say, dir)
      await inServer(dir, (server) => measureWarm(say, server))
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
}

type Say = (line: string) => void
type Call = readonly [name: string, args: object, id: string]

/** A storage child with the servers of IMAP and JMAP, and a client of each. */
interface Server {
  readonly inbox: MailboxId
  readonly imap: LineClient
  readonly store: MailboxStore
  /** Files so many mails, numbered from `first`. */
  readonly file: (first: number, count: number) => Promise<unknown>
  readonly ask: (...calls: readonly Call[]) => Promise<string>
}

/** Starts all anew, as after a restart: nothing that was read before is in memory. */
async function inServer(dir: string, work: (server: Server) => Promise<void>): Promise<void> {
  const listeners = new Set<(change: MailboxChanged) => void>()
  const storage = new StorageChild({
    kind: 'mailbox',
    dir,
    clock: systemClock,
    log: silentLog,
    // A disk that others keep busy makes a figure worse, and ends nothing.
    deadlineMs: 60 * SECOND_MS,
    onNotice: (_, payload) => {
      for (const tell of listeners) tell(payload as MailboxChanged)
    },
  })
  await storage.start()
  const ends: (() => Promise<unknown>)[] = [() => storage.stop()]
  const changes = (listener: (change: MailboxChanged) => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  try {
    const store = storage.service('mailboxes')
    const base = {
      authenticator: new FakeAuthenticator({ hanako: 'x' }),
      clock: systemClock,
      log: silentLog,
    }
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
      directory: {
        account: () => account,
        domain: () => undefined,
        moment: NO_MOMENT,
        lists: () => [].values(),
        listByAddress: () => undefined,
      },
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
    const imap = LineClient.plain(listener.port)
    ends.push(async () => imap.end())
    await imap.line()
    await imap.command('LOGIN hanako x')
    await work({
      inbox: mailboxes.find(({ use }) => use === 'inbox')!.id,
      imap,
      store,
      file: (first, count) => store.commit(filing(first, count)),
      ask: (...calls) => post(agent, port, calls),
    })
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

const filing = (first: number, count: number): CommitRequest => ({
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

const call = (name: string, args: object, id: string): Call => [name, { accountId, ...args }, id]
const query = (more: object) => call('Email/query', { limit: PAGE, ...more }, 'q')
const PROPERTIES = 'threadId mailboxIds keywords from subject receivedAt size preview hasAttachment'
const get = call(
  'Email/get',
  {
    '#ids': { resultOf: 'q', name: 'Email/query', path: '/ids' },
    properties: PROPERTIES.split(' '),
  },
  'g',
)
const ITEMS = '(UID FLAGS ENVELOPE INTERNALDATE RFC822.SIZE BODYSTRUCTURE EMAILID THREADID)'
const FETCH_PAGE = `FETCH ${MAILS - PAGE + 1}:* ${ITEMS}`

/** The first page after a start, turn about: each time all is started anew. */
async function measureCold(say: Say, dir: string): Promise<void> {
  const times = { imap: [] as number[], jmap: [] as number[] }
  for (let round = 0; round < COLD_ROUNDS; round++) {
    await inServer(dir, async ({ imap }) => {
      times.imap.push(
        await timeOf(async () => {
          await imap.command('SELECT INBOX')
          await imap.command(FETCH_PAGE)
        }),
      )
    })
    await inServer(dir, async ({ ask, inbox }) => {
      times.jmap.push(await timeOf(() => ask(query({ filter: { inMailbox: inbox } }), get)))
    })
  }
  const shown = (list: readonly number[]): string =>
    `${shownMs(median(list))}  (${list.map((each) => each.toFixed(0)).join(' ')})`
  say(`IMAP  cold SELECT and FETCH       ${shown(times.imap)}`)
  say(`JMAP  cold query and get          ${shown(times.jmap)}`)
}

async function measureWarm(say: Say, { imap, ask, inbox, file, store }: Server): Promise<void> {
  const filter = { inMailbox: inbox }
  const told = async (what: string, run: () => Promise<unknown>, more = ''): Promise<void> => {
    await run() // so that nothing is read for the first time
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round++) times.push(await timeOf(run))
    say(`${what.padEnd(33)} ${shownMs(median(times))}${more}`)
  }
  await imap.command('SELECT INBOX')
  await told('IMAP  FETCH', () => imap.command(FETCH_PAGE))
  await told('JMAP  query and get', () => ask(query({ filter }), get))
  await told('IMAP  SELECT and FETCH', async () => {
    await imap.command('SELECT INBOX')
    await imap.command(FETCH_PAGE)
  })
  await told('IMAP  SEARCH UNSEEN', () => imap.command('UID SEARCH UNSEEN'))
  const jmapRounds: readonly (readonly [string, object])[] = [
    ['with total', { filter, calculateTotal: true }],
    ['of threads, with total', { filter, collapseThreads: true, calculateTotal: true }],
    ['unseen, with total', { filter: { ...filter, notKeyword: '$seen' }, calculateTotal: true }],
    ['of the whole account', { calculateTotal: true }],
  ]
  for (const [what, more] of jmapRounds) await told(`JMAP  ${what}`, () => ask(query(more), get))
  await told('JMAP  Mailbox/get', () => ask(call('Mailbox/get', {}, 'm')))
  let next = MAILS
  const page = (): Promise<string> => ask(query({ filter, calculateTotal: true }), get)
  const withFiling = async (): Promise<void> => {
    await file(next++, 1)
    await page()
  }
  await told('JMAP  after each new mail', withFiling, '  (its filing included)')
  const withFlag = async (): Promise<void> => {
    const mode = next++ % 2 === 0 ? 'add' : 'remove'
    const uids = [(MAILS - 5) as Uid]
    await store.commit({
      contents: [],
      commits: [
        {
          accountId,
          changes: [{ kind: 'setFlags', mailboxId: inbox, uids, mode, flags: 4, keywords: [] }],
        },
      ],
    })
    await page()
  }
  await told('JMAP  after each flag', withFlag, '  (its writing included)')
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
      headers: { authorization, 'content-type': 'application/json' },
    })
    asked.once('error', reject)
    asked.once('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.once('end', () =>
        isWhole(response.statusCode, text)
          ? resolve(text)
          : reject(new Error(`${response.statusCode}: ${text.slice(0, 1_000)}`)),
      )
    })
    asked.end(body)
  })
}

/** A refusal, an error or a page that lacks emails is fast, and no figure. */
function isWhole(status: number | undefined, text: string): boolean {
  if (status !== 200) return false
  const { methodResponses } = JSON.parse(text) as { methodResponses: [string, Answer, string][] }
  return methodResponses.every(
    ([name, { list }]) => name !== 'error' && (name !== 'Email/get' || list?.length === PAGE),
  )
}

interface Answer {
  readonly list?: readonly unknown[]
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await run()
  return performance.now() - began
}

const shownMs = (ms: number): string => `${ms.toFixed(1).padStart(8)} ms`
