import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { AccountId } from '#model/account.ts'
import type { EventSink } from '#model/event.ts'
import type { OwnQuota } from '#model/quota.ts'
import type { Uid } from '#model/mailbox.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { Quotas } from './quotas.ts'
import { storeReception } from './store-reception.ts'
import { UnheardAnswers } from './unheard-answers.ts'

const NAMES = ['hanako', 'taro', 'jiro']
const idOf = (name: string): AccountId => `id-${name}@campus.example` as AccountId
const hanako = idOf('hanako')

let store: FakeMailboxStore
let events: Parameters<EventSink['emit']>[0][]
beforeEach(() => {
  store = new FakeMailboxStore()
  events = []
})
afterEach(() => store.close())

interface Room {
  /** Of hanako alone. */
  readonly own?: OwnQuota
  readonly domain?: OwnQuota
  readonly bytes?: number
  readonly mailboxes?: number
  readonly overQuota?: 'defer' | 'reject'
}

function quotasOf({ own, domain, bytes = 0, mailboxes = 0 }: Room) {
  const directory = fakeDirectory([
    { kind: 'domain', domain: { name: 'campus.example', ...(domain && { quota: domain }) } },
    ...NAMES.map((name) => {
      const account = fakeAccount(`${name}@campus.example`)
      const quota = name === 'hanako' && own !== undefined ? { quota: own } : {}
      return { kind: 'account', account: { ...account, ...quota } } as const
    }),
  ])
  const quotas = new Quotas({
    mailboxes: store,
    directory,
    defaults: () => ({ bytes, messages: 0, mailboxes, warnPercent: 90 }),
    newId: () => 'N1',
    events: { emit: (event) => events.push(event) },
    clock: store.clock,
    log: silentLog,
  })
  return { directory, quotas }
}

/** Replies at RCPT, then after the message, of one to all three. */
async function deliver(
  room: Room,
  mail: { readonly text?: string; readonly sizeBytes?: number; readonly id?: string } = {},
): Promise<string[]> {
  const { directory, quotas } = quotasOf(room)
  const { text = '本文', sizeBytes, id } = mail
  const reception = storeReception({
    directory,
    mailboxes: quotas.mailboxes,
    overQuota: () => room.overQuota ?? 'defer',
    hostname: 'store.campus.example',
    newDeliveryId: () => `D${Math.random()}`,
    unheard: new UnheardAnswers(store.clock),
    clock: store.clock,
    log: silentLog,
    events: { emit: () => undefined },
    filed: () => undefined,
    unready: () => 'ready',
  })
  const transaction = await reception.mail({
    door: 'lmtp',
    peer: { ip: '127.0.0.1', port: 24, helo: 'mx.campus.example' },
    reversePath: addr('someone@b.example'),
    body: '8bitmime',
    smtpUtf8: false,
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(id !== undefined && { handed: { deliveryId: id } }),
  })
  assert.ok(transaction.ok)
  const told: string[] = []
  for (const name of NAMES) {
    const reply = await transaction.value.rcpt({ address: addr(`${name}@campus.example`) })
    if (reply !== undefined) told.push(`RCPT ${name} ${reply.code} ${reply.status}`)
  }
  const sink = await transaction.value.data()
  assert.ok(sink.ok)
  await sink.value.write(fromUtf8(`Subject: 会議\r\n\r\n${text}\r\n`))
  for (const reply of await sink.value.finish()) told.push(`${reply.code} ${reply.status}`)
  await quotas.idle()
  return told
}

async function inbox(accountId = hanako): Promise<string[]> {
  const { mailboxes } = await store.mailboxes({ accountId })
  const mailboxId = mailboxes[0]!.id
  const { uids } = (await store.view({ accountId, mailboxId }))!
  const metas = await Array.fromAsync(
    storedMetas(store, { accountId, mailboxId, uids: [...uids] as Uid[] }),
  )
  return metas.map((found) => decodeWords(found?.meta.envelope.subject ?? ''))
}

const OK = '250 2.1.5'

describe('quota of an account, else its domain, else the installation', () => {
  it('each of the two limits by itself; 0 is none', () => {
    const of = (room: Room, accountId = hanako) => {
      const { bytes, messages } = quotasOf(room).quotas.quotaOf(accountId)
      return { bytes, messages }
    }
    assert.deepEqual(of({ bytes: 5 }), { bytes: 5, messages: 0 })
    assert.deepEqual(of({ bytes: 5, domain: { bytes: 7, messages: 3 } }), { bytes: 7, messages: 3 })
    const all = { bytes: 5, domain: { bytes: 7, messages: 3 } }
    assert.deepEqual(of({ ...all, own: { bytes: 0 } }), { bytes: 0, messages: 3 })
    assert.deepEqual(of({ ...all, own: { messages: 0 } }), { bytes: 7, messages: 0 })
    assert.deepEqual(of(all, 'nobody' as AccountId), { bytes: 0, messages: 0 })
  })
})

describe('mailboxes that people may make', () => {
  it('are limited by the account, else its domain, else the installation', async () => {
    const of = (room: Room, accountId = hanako) =>
      quotasOf(room).quotas.quotaOf(accountId).mailboxes
    assert.equal(of({ mailboxes: 5 }), 5)
    assert.equal(of({ mailboxes: 5, domain: { mailboxes: 7 } }), 7)
    assert.equal(of({ mailboxes: 5, domain: { mailboxes: 7 }, own: { mailboxes: 0 } }), 0)
    assert.equal(of({ mailboxes: 5, own: { bytes: 1 } }), 5)
    assert.equal(of({ mailboxes: 5 }, 'nobody' as AccountId), 5)
    const had = (await store.mailboxes({ accountId: hanako })).mailboxes.length
    const { mailboxes } = quotasOf({ own: { mailboxes: had + 1 } }).quotas
    const create = async (accountId: AccountId, name: string): Promise<string> => {
      const changes = [{ kind: 'create', path: [name] } as const]
      const { results } = await mailboxes.commit({
        contents: [],
        commits: [{ accountId, changes }],
      })
      return results[0]?.kind === 'refused' ? results[0].refusal.code : (results[0]?.kind ?? '')
    }
    assert.equal(await create(hanako, '会議'), 'committed')
    assert.equal(await create(hanako, '委員会'), 'quota')
    for (const name of ['会議', '委員会'])
      assert.equal(await create(idOf('taro'), name), 'committed')
  })
})

describe('LMTP and a full mailbox (RFC 2033 §4.2: each recipient by itself)', () => {
  const own = { bytes: 10_000 }
  const large = 'x'.repeat(20_000)

  it('answers 452 or 552 after the message, as policy says, and files to the others', async () => {
    const room = { own, overQuota: 'reject' } as const
    assert.deepEqual(await deliver(room, { text: large }), ['552 5.2.2', OK, OK])
    assert.deepEqual(await deliver({ own }, { text: large }), ['452 4.2.2', OK, OK])
    assert.equal((await inbox(idOf('taro'))).length, 2)
  })

  it('answers at RCPT what is known by then: it is full, or too large by its SIZE (RFC 1870)', async () => {
    const known = ['RCPT hanako 452 4.2.2', OK, OK]
    assert.deepEqual(await deliver({ own }, { sizeBytes: 10_001, text: large }), known)
    assert.deepEqual(await deliver({ own: { messages: 1 } }), ['RCPT hanako 452 4.2.2', OK, OK])
    const [first] = await deliver({ own: { messages: 1 }, overQuota: 'reject' })
    assert.equal(first, 'RCPT hanako 552 5.2.2')
  })

  it('says 250 to a delivery that is filed, though the mailbox has become full by it', async () => {
    assert.deepEqual(await deliver({ own: { messages: 1 } }, { id: 'D1' }), [OK, OK, OK])
    assert.deepEqual(await deliver({ own: { messages: 1 } }, { id: 'D1' }), [OK, OK, OK])
    const [first] = await deliver({ own: { messages: 1 } }, { id: 'D2' })
    assert.equal(first, 'RCPT hanako 452 4.2.2')
  })

  it('lets a script send on what there is no room for', async () => {
    await deliver({ own: { messages: 1 } })
    const text = 'redirect "花子@c.example";'
    const change = { kind: 'put', name: '主', text, activate: true } as const
    await store.changeScript({ accountId: hanako, change })
    assert.deepEqual(await deliver({ own: { messages: 1 } }), [OK, OK, OK])
    assert.equal((await store.status()).outbox, 1)
  })
})

describe('mail about a quota', () => {
  it('warns once in Japanese and English, and says once a day that mail is refused', async () => {
    const room = { own: { bytes: 10_000 } }
    const text = 'x'.repeat(9_100)
    await deliver(room, { text })
    const warning = 'メールボックスの残りが少なくなっています (Your mailbox is nearly full)'
    assert.deepEqual(await inbox(), ['会議', warning])
    const { mailboxes } = await store.mailboxes({ accountId: hanako })
    const ask = { accountId: hanako, mailboxId: mailboxes[0]!.id, uid: 2 as Uid }
    const { octets } = await store.read({ ...ask, offset: 0, length: 100_000 })
    const [header, body] = toUtf8(octets!).split('\r\n\r\n')
    assert.match(header!, /^From: Postmaster <postmaster@campus\.example>\r\nTo: hanako@campus/)
    assert.match(header!, /\r\nAuto-Submitted: auto-generated\r\n/)
    for (const line of header!.split('\r\n')) assert.ok(line.length <= 78, line)
    const words = Buffer.from(body!, 'base64').toString()
    assert.match(words, /不要なメールを削除し/)
    assert.match(words, /Your mailbox is nearly full/)
    // By its own rule a warning is taken, though it is what fills the mailbox.
    assert.equal((await deliver(room, { text }))[0], 'RCPT hanako 452 4.2.2')
    await deliver(room, { text })
    const refused = 'メールを受け取れませんでした (Mail for you was refused)'
    assert.deepEqual(await inbox(), ['会議', warning, refused])
    store.clock.advance(DAY_MS)
    await deliver(room, { text })
    assert.deepEqual(await inbox(), ['会議', warning, refused, refused])
    assert.deepEqual(
      events.map(({ name }) => name),
      ['quota.near', 'quota.refused', 'quota.refused'],
    )
  })

  it('one that a fault kept back comes with the next commit', async () => {
    const { quotas } = quotasOf({ own: { messages: 1 } })
    const append = {
      kind: 'append',
      mailbox: { path: ['INBOX'], create: false },
      content: 0,
      flags: 0,
      keywords: [],
      internalDateMs: 0,
    } as const
    // The process died here: the commit is made, and nobody told the owner.
    const { results } = await store.commit({
      contents: [{ octets: [fromUtf8('Subject: 一\r\n\r\n')] }],
      commits: [
        {
          accountId: hanako,
          changes: [append],
          quota: { bytes: 0, messages: 1, warnPercent: 90 },
        },
      ],
    })
    assert.equal(results[0]?.kind === 'committed' && results[0].notice, 'near')
    assert.equal((await inbox()).length, 1)
    const subscribe = { kind: 'subscribe', path: ['会議'], on: true } as const
    for (let times = 0; times < 3; times++) {
      await quotas.mailboxes.commit({
        contents: [],
        commits: [{ accountId: hanako, changes: [subscribe] }],
      })
      await quotas.idle()
      assert.equal((await inbox()).length, 2)
    }
  })
})
