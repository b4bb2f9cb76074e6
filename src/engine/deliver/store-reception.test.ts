import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { chosenScript } from '#engine/choices/chosen-script.ts'
import type { AccountId } from '#model/account.ts'
import type { Choices } from '#model/choices.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { storeReception } from './store-reception.ts'
import { UnheardAnswers } from './unheard-answers.ts'

const ACCOUNTS = ['hanako@campus.example', 'taro@campus.example']
const hanako = `id-${ACCOUNTS[0]}` as AccountId
let store: FakeMailboxStore
let deliveries = 0
beforeEach(() => {
  store = new FakeMailboxStore()
})
afterEach(() => store.close())

/** The replies to one message for both accounts. */
async function deliver(text: string, choices: readonly Choices[] = []): Promise<string[]> {
  const directory = fakeDirectory([
    { kind: 'domain', domain: { name: 'campus.example' } },
    ...ACCOUNTS.map((each) => ({ kind: 'account', account: fakeAccount(each) }) as const),
    ...choices.map((each) => ({ kind: 'choices', choices: each }) as const),
  ])
  const reception = storeReception({
    directory,
    mailboxes: store,
    chosenScript: (id) => chosenScript(directory, id),
    hostname: 'store.campus.example',
    newDeliveryId: () => `D${++deliveries}`,
    unheard: new UnheardAnswers(new FakeClock()),
    clock: new FakeClock(),
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
  })
  assert.ok(transaction.ok)
  for (const each of ACCOUNTS)
    assert.equal(await transaction.value.rcpt({ address: addr(each) }), undefined)
  const sink = await transaction.value.data()
  assert.ok(sink.ok)
  const octets = fromUtf8(`Subject: 会議\r\n\r\n${text}\r\n`)
  for (let at = 0; at < octets.length; at += 100_000)
    await sink.value.write(octets.subarray(at, at + 100_000))
  return (await sink.value.finish()).map(({ code, status }) => `${code} ${status}`)
}

const left = (): number => store.blobs.files.size + store.blobs.writing.size

describe('delivery into a store that becomes full', () => {
  for (const [size, text] of [
    ['small', '本文'],
    ['large', '本文'.repeat(100_000)],
  ] as const)
    it(`answers 452 for each recipient of a ${size} message, and leaves no file`, async () => {
      assert.deepEqual(await deliver(text), ['250 2.1.5', '250 2.1.5'])
      const before = left()
      store.blobs.full = true
      assert.deepEqual(await deliver(text), ['452 4.3.1', '452 4.3.1'])
      store.blobs.full = false
      store.blobs.faults.flush = new Fault('full', 'ENOSPC')
      assert.deepEqual(await deliver(text), ['452 4.3.1', '452 4.3.1'])
      assert.equal(left(), before)
      assert.equal((await store.status()).messages, 2)
    })

  it('answers 452 where the mail only goes out again', async () => {
    const text = 'redirect "花子@c.example";'
    await store.changeScript({
      accountId: hanako,
      change: { kind: 'put', name: '主', text, activate: true },
    })
    store.blobs.full = true
    assert.deepEqual(await deliver('本文'), ['452 4.3.1', '452 4.3.1'])
    assert.equal((await store.status()).outbox, 0)
    store.blobs.full = false
    assert.deepEqual(await deliver('本文'), ['250 2.1.5', '250 2.1.5'])
    assert.equal((await store.status()).outbox, 1)
  })
})

/** Mailboxes that have mail, with how much. */
async function filled(accountId: AccountId): Promise<Record<string, number>> {
  const { mailboxes } = await store.mailboxes({ accountId })
  return Object.fromEntries(
    mailboxes
      .filter(({ messages }) => messages > 0)
      .map(({ path, messages }) => [path.join('/'), messages]),
  )
}

describe('copies of a mail that come at the same moment', () => {
  const SCRIPT = `require ["duplicate", "fileinto", "mailbox"];
    if duplicate :header "Subject" { fileinto :create "二度"; }`
  beforeEach(() =>
    store.changeScript({
      accountId: hanako,
      change: { kind: 'put', name: '主', text: SCRIPT, activate: true },
    }),
  )

  it('are duplicates but one (RFC 7352 §3)', async () => {
    const replies = await Promise.all(Array.from({ length: 4 }, () => deliver('本文')))
    assert.deepEqual(new Set(replies.flat()), new Set(['250 2.1.5']))
    assert.deepEqual(await filled(hanako), { INBOX: 1, 二度: 3 })
    assert.deepEqual(await filled(`id-${ACCOUNTS[1]}` as AccountId), { INBOX: 4 })
  })

  it('come again where their octets have been used up', async () => {
    const text = '本文'.repeat(100_000)
    const replies = await Promise.all([deliver(text), deliver(text)])
    assert.deepEqual(replies.map(([of]) => String(of)).toSorted(), ['250 2.1.5', '452 4.2.2'])
    assert.deepEqual(await deliver(text), ['250 2.1.5', '250 2.1.5'])
    assert.deepEqual(await filled(hanako), { INBOX: 1, 二度: 1 })
  })
})

describe('delivery by what people have chosen', () => {
  it("files by the person's own filters, and then by the own script", async () => {
    const choices: Choices = {
      accountId: hanako,
      revision: 1,
      filters: [
        {
          name: '会議',
          match: 'all',
          conditions: [{ field: 'subject', is: 'equals', value: '会議' }],
          flags: ['flagged'],
          stop: true,
        },
      ],
    }
    const text = 'require ["fileinto", "mailbox"]; fileinto :create "主";'
    await store.changeScript({
      accountId: hanako,
      change: { kind: 'put', name: '主', text, activate: true },
    })
    assert.deepEqual(await deliver('本文', [choices]), ['250 2.1.5', '250 2.1.5'])
    assert.deepEqual(await filled(hanako), { 主: 1 })
    const folder = { ...choices.filters![0]!, folder: '会議/今日' }
    await deliver('二通目', [{ ...choices, filters: [folder] }])
    assert.deepEqual(await filled(hanako), { 主: 1, '会議/今日': 1 })
    assert.deepEqual(await filled(`id-${ACCOUNTS[1]}` as AccountId), { INBOX: 2 })
  })
})
