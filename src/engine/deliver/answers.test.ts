import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { mailOwner } from './mail-owner.ts'
import { storeReception } from './store-reception.ts'
import { UnheardAnswers } from './unheard-answers.ts'

const HANAKO = 'hanako@campus.example'
const accountId = `id-${HANAKO}` as AccountId
const directory = fakeDirectory([
  { kind: 'domain', domain: { name: 'campus.example' } },
  { kind: 'account', account: fakeAccount(HANAKO) },
])
let store: FakeMailboxStore
let events: { name: string; fields: object }[]
/** What happens to an answer of the store on its way. */
let onAnswer: () => void
beforeEach(() => {
  store = new FakeMailboxStore()
  events = []
  onAnswer = () => undefined
})
afterEach(() => store.close())

const script = (text: string) =>
  store.changeScript({ accountId, change: { kind: 'put', name: '主', text, activate: true } })

/** The reply to one mail to 花子. */
async function deliver(
  deliveryId: string,
  from = 'taro@b.example',
  adminScripts = { before: '', after: '' },
): Promise<number | undefined> {
  const reception = storeReception({
    directory,
    mailboxes: {
      openLarge: store.openLarge,
      appendLarge: store.appendLarge,
      abortLarge: store.abortLarge,
      filing: store.filing,
      remembered: store.remembered,
      script: store.script,
      commit: async (request) => {
        const done = await store.commit(request)
        onAnswer()
        return done
      },
    },
    adminScripts: () => adminScripts,
    owner: (id) => mailOwner(directory, id),
    hostname: 'store.campus.example',
    newDeliveryId: () => deliveryId,
    unheard: new UnheardAnswers(store.clock),
    clock: store.clock,
    log: silentLog,
    events: { emit: (event) => void events.push(event) },
    filed: () => undefined,
    unready: () => 'ready',
  })
  const transaction = await reception.mail({
    door: 'lmtp',
    peer: { ip: '127.0.0.1', port: 24, helo: 'mx.campus.example' },
    reversePath: addr(from),
    body: '8bitmime',
    smtpUtf8: false,
    handed: { deliveryId },
  })
  assert.ok(transaction.ok)
  assert.equal(await transaction.value.rcpt({ address: addr(HANAKO) }), undefined)
  const sink = await transaction.value.data()
  assert.ok(sink.ok)
  await sink.value.write(
    fromUtf8(`To: ${HANAKO}\r\nSubject: 会議\r\nMessage-ID: <1@b.example>\r\n\r\n本文\r\n`),
  )
  return (await sink.value.finish())[0]?.code
}

const sent = async () => (await store.outbox({ limit: 100 })).items
const messagesIn = async (name: string) =>
  (await store.mailboxes({ accountId })).mailboxes.find(({ path }) => path.join('/') === name)
    ?.messages

const AWAY = 'require ["vacation", "fcc"]; vacation :days 1 :fcc "Sent" "不在です";'

describe('answers of deliveries', () => {
  it('are sent once a sender, whatever is delivered again', async () => {
    await script(AWAY)
    assert.equal(await deliver('D1'), 250)
    assert.equal(await deliver('D1'), 250)
    assert.equal(await deliver('D2'), 250)
    const [answer, ...others] = await sent()
    assert.deepEqual(others, [])
    assert.equal(answer?.kind, 'vacation')
    const { octets } = await store.readOutbox({ id: answer.id, offset: 0, length: 10_000 })
    assert.match(toUtf8(octets), /^Auto-Submitted: auto-replied\r$/m)
    assert.deepEqual([await messagesIn('INBOX'), await messagesIn('Sent')], [2, 1])
    assert.equal(await deliver('D3', 'jiro@b.example'), 250)
    store.clock.advance(DAY_MS)
    assert.equal(await deliver('D4'), 250)
    assert.deepEqual(
      (await sent()).map(({ recipients }) => recipients[0]?.localpart),
      ['taro', 'jiro', 'taro'],
    )
  })

  it('are sent once where nobody has heard that the commit was made', async () => {
    await script(AWAY)
    onAnswer = () => {
      throw new Fault('stalled', 'わざと')
    }
    assert.equal(await deliver('D1'), 451)
    onAnswer = () => undefined
    assert.equal(await deliver('D1'), 250)
    assert.equal((await sent()).length, 1)
    assert.deepEqual([await messagesIn('INBOX'), await messagesIn('Sent')], [1, 1])
  })

  it('are sent once of many deliveries at once', async () => {
    await script(AWAY)
    await Promise.all(Array.from({ length: 10 }, (_, i) => deliver(`D${i}`)))
    assert.equal((await sent()).length, 1)
    assert.equal(await messagesIn('INBOX'), 10)
  })

  it('know duplicates by what earlier deliveries have left', async () => {
    await script('require ["duplicate", "fileinto"]; if duplicate { fileinto "Trash"; }')
    for (const id of ['D1', 'D2', 'D3']) assert.equal(await deliver(id), 250)
    assert.deepEqual([await messagesIn('INBOX'), await messagesIn('Trash')], [1, 2])
  })

  it('run the administrator’s scripts before and after all others', async () => {
    await script('require "imap4flags"; addflag "\\\\Flagged";')
    const before = 'require "envelope"; if envelope :localpart "from" "ads" { discard; }'
    const after = 'require ["fileinto", "mailbox"]; fileinto :create "後";'
    assert.equal(await deliver('D1', 'ads@b.example', { before, after }), 250)
    assert.equal(await deliver('D2', 'taro@b.example', { before, after }), 250)
    assert.deepEqual([await messagesIn('INBOX'), await messagesIn('後')], [0, 1])
  })
})

describe('a script that fails', () => {
  it('keeps each mail, and tells its owner and an event of it', async () => {
    await script('require "reject"; keep; reject "x";')
    for (const id of ['D1', 'D2']) assert.equal(await deliver(id), 250)
    assert.equal(await messagesIn('INBOX'), 3)
    store.clock.advance(DAY_MS)
    assert.equal(await deliver('D3'), 250)
    assert.equal(await messagesIn('INBOX'), 5)
    const failed = events.filter(({ name }) => name === 'sieve.failed')
    assert.equal(failed.length, 3)
    assert.deepEqual(failed[0]?.fields, {
      accountId,
      script: 'own',
      line: 1,
      cause: 'reject cannot go with another action',
    })
  })

  it('of the administrator’s that cannot run lets the others run', async () => {
    await script('require "fileinto"; fileinto "Archive";')
    assert.equal(await deliver('D1', 'taro@b.example', { before: 'bogus;', after: '' }), 250)
    assert.deepEqual([await messagesIn('INBOX'), await messagesIn('Archive')], [1, 1])
  })
})
