import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { formatAddress } from '#model/address.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { storeReception } from './store-reception.ts'
import { UnheardAnswers } from './unheard-answers.ts'

let store: FakeMailboxStore
beforeEach(() => {
  store = new FakeMailboxStore()
})
afterEach(() => store.close())

const account = (text: string): DirectoryRow => ({ kind: 'account', account: fakeAccount(text) })
const alias = (from: string, ...to: string[]): DirectoryRow => ({
  kind: 'alias',
  alias: { from: addr(from), to: to.map(addr) },
})
const forward = (of: string, keep: boolean, ...to: string[]): DirectoryRow => ({
  kind: 'forward',
  forward: { accountId: fakeAccount(of).id, to: to.map(addr), keep },
})

/** A foreign gateway's transaction: how often each account has filed, what leaves, and the replies. */
async function deliver(rows: readonly DirectoryRow[], to: readonly string[]) {
  const filed: string[] = []
  const reception = storeReception({
    directory: fakeDirectory([
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'domain', domain: { name: 'lab.campus.example', convertTo: 'campus.example' } },
      account('hanako@campus.example'),
      account('taro@campus.example'),
      ...rows,
    ]),
    mailboxes: store,
    hostname: 'store.campus.example',
    newDeliveryId: () => 'D1',
    unheard: new UnheardAnswers(new FakeClock()),
    clock: new FakeClock(),
    log: silentLog,
    events: {
      emit: ({ name, fields }) => {
        if (name === 'store.filed' && fields['mailboxes'] !== '')
          filed.push(String(fields['recipient']))
      },
    },
    filed: () => undefined,
    unready: () => 'ready',
  })
  const transaction = await reception.mail({
    door: 'lmtp',
    peer: { ip: '127.0.0.1', port: 24, helo: 'mx.campus.example' },
    reversePath: addr('someone@b.example'),
    body: '8bitmime',
    smtpUtf8: true,
  })
  assert.ok(transaction.ok)
  for (const each of to) {
    const refused = await transaction.value.rcpt({ address: addr(each) })
    if (refused !== undefined) return `${refused.code} ${refused.status}`
  }
  const sink = await transaction.value.data()
  assert.ok(sink.ok)
  await sink.value.write(fromUtf8('Subject: 会議\r\n\r\n本文\r\n'))
  const replies = await sink.value.finish()
  assert.deepEqual(new Set(replies.map(({ code }) => code)), new Set([250]))
  assert.equal(replies.length, to.length)
  const { items } = await store.outbox({ limit: 10 })
  return [
    ...filed,
    ...items.flatMap((item) => item.recipients.map((one) => `→ ${formatAddress(one)}`)),
  ]
}

test('a recipient named twice, and an alias beside its target, is one copy', async () => {
  const rows = [alias('staff@campus.example', 'hanako@campus.example', 'taro@campus.example')]
  const to = ['hanako@campus.example', 'Hanako@lab.campus.example', 'staff@campus.example']
  assert.deepEqual(await deliver(rows, to), ['hanako@campus.example', 'staff@campus.example'])
})

test('each detail is a copy of its own (RFC 5233 §4)', async () => {
  const to = [
    'hanako@campus.example',
    'hanako+会議@campus.example',
    'hanako+会議@lab.campus.example',
  ]
  assert.deepEqual(await deliver([], to), ['hanako@campus.example', 'hanako+会議@campus.example'])
})

test('what leads outside leaves once, also where the account that carries it was named before', async () => {
  const rows = [
    alias('friends@campus.example', 'hanako@campus.example', '友@b.example'),
    alias('all@campus.example', 'friends@campus.example', 'taro@campus.example'),
  ]
  const to = ['hanako@campus.example', 'friends@campus.example', 'all@campus.example']
  assert.deepEqual(await deliver(rows, to), [
    'hanako@campus.example',
    'all@campus.example',
    '→ 友@b.example',
  ])
})

test('a forward without a copy leaves and files nothing; who has no account here is refused', async () => {
  const rows = [
    forward('hanako@campus.example', false, 'x@b.example'),
    alias('info@campus.example', 'hanako@campus.example'),
    alias('away@campus.example', 'x@b.example'),
  ]
  assert.deepEqual(await deliver(rows, ['hanako@lab.campus.example', 'info@campus.example']), [
    '→ x@b.example',
  ])
  assert.equal(await deliver(rows, ['away@campus.example']), '550 5.1.1')
  assert.equal(await deliver(rows, ['nobody@campus.example']), '550 5.1.1')
})
