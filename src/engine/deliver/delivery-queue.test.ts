import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock, HOUR_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { Recipient } from '#model/envelope.ts'
import type { MailCommand } from '#model/reception.ts'
import { openSpool } from '#store/spool/open.ts'
import type { OpenSpool } from '#store/spool/open.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { DeliveryQueue } from './delivery-queue.ts'
import { storeReception } from './store-reception.ts'
import { UnheardAnswers } from './unheard-answers.ts'

const HANAKO = 'hanako@campus.example'
const TARO = 'taro@campus.example'
const TEXT = 'Subject: 会議\r\n\r\n水曜日です。\r\n'
const LARGE = `${TEXT}${'渡り鳥は海をわたる。\r\n'.repeat(20_000)}`
const AWAY = new Fault('stalled', 'no answer in 4000 ms')

let mailboxes: FakeMailboxStore
let spool: OpenSpool
let dir: string
let entered: number
const clock = new FakeClock()

beforeEach(async () => {
  mailboxes = new FakeMailboxStore()
  dir = await mkdtemp(join(tmpdir(), 'watari-delivery-queue-'))
  spool = await openSpool({ dir, clock, reserveBytes: 0 })
  entered = 0
})
afterEach(async () => {
  await spool.close()
  await mailboxes.close()
  await rm(dir, { recursive: true })
})

interface Sent {
  readonly text?: string
  readonly to?: readonly Recipient[]
  readonly state?: string
  readonly command?: Partial<MailCommand>
  readonly commit?: FakeMailboxStore['commit']
}

/** The replies to one message; one reply where MAIL is refused. */
async function deliver(sent: Sent = {}): Promise<string[]> {
  const { text = TEXT, to = [{ address: addr(HANAKO) }], state = 'ready', commit } = sent
  const reception = storeReception({
    directory: fakeDirectory([
      { kind: 'domain', domain: { name: 'campus.example' } },
      ...[HANAKO, TARO].map((each) => ({ kind: 'account', account: fakeAccount(each) }) as const),
      {
        kind: 'alias',
        alias: { from: addr('kyoumu@campus.example'), to: [addr(HANAKO), addr('友@b.example')] },
      },
    ]),
    mailboxes: {
      openLarge: mailboxes.openLarge,
      appendLarge: mailboxes.appendLarge,
      abortLarge: mailboxes.abortLarge,
      filing: mailboxes.filing,
      remembered: mailboxes.remembered,
      script: mailboxes.script,
      commit: commit ?? mailboxes.commit,
    },
    hostname: 'mail.campus.example',
    newDeliveryId: () => 'D1',
    unheard: new UnheardAnswers(new FakeClock()),
    clock,
    log: silentLog,
    events: { emit: () => undefined },
    filed: () => undefined,
    unready: () => state,
    queue: new DeliveryQueue({
      spool,
      lifetimeMs: () => HOUR_MS,
      clock,
      events: { emit: () => undefined },
      entered: () => entered++,
    }),
  })
  const shown = ({ code, status }: { code: number; status?: string }): string => `${code} ${status}`
  const opened = await reception.mail({
    door: 'lmtp',
    peer: { ip: '192.0.2.7', port: 24, helo: 'mx.foreign.example', greeting: 'LHLO' },
    reversePath: addr('someone@b.example'),
    body: '8bitmime',
    smtpUtf8: true,
    ...sent.command,
  })
  if (!opened.ok) return [shown(opened.error)]
  for (const each of to) assert.equal(await opened.value.rcpt(each), undefined)
  const sink = await opened.value.data()
  assert.ok(sink.ok)
  const octets = fromUtf8(text)
  for (let at = 0; at < octets.length; at += 100_000)
    await sink.value.write(octets.subarray(at, at + 100_000))
  return (await sink.value.finish()).map(shown)
}

const queued = async () => (await spool.list({ limit: 100 })).messages
const octetsOf = async (at: number): Promise<string> => {
  const message = (await queued())[at]!
  const ask = { queueId: message.queueId, offset: 0, length: message.sizeBytes }
  return toUtf8((await spool.read(ask)).octets)
}
const filed = async (): Promise<number> => (await mailboxes.status()).messages

describe("mail of a foreign gateway, and a deliver's queue", () => {
  it('is queued as it was given where the mailboxes are known to be away: 250 for each', async () => {
    const to: Recipient[] = [
      { address: addr(HANAKO), original: 'rfc822;hanako@old.example', notify: ['delay'] },
      { address: addr('kyoumu@campus.example') },
    ]
    const command = { ret: 'full', envid: 'Q7' } as const
    for (const text of [TEXT, LARGE])
      assert.deepEqual(await deliver({ text, to, state: 'stalled', command }), [
        '250 2.1.5',
        '250 2.1.5',
      ])
    assert.deepEqual([await filed(), entered], [0, 2])
    const [small] = await queued()
    const { deliveryId, door, reversePath, ret, envid, smtpUtf8, recipients } = small!
    assert.deepEqual([deliveryId, door, ret, envid, smtpUtf8], ['D1', 'lmtp', 'full', 'Q7', true])
    assert.equal(formatAddress(reversePath!), 'someone@b.example')
    assert.deepEqual(
      recipients.map(({ address, original, notify }) => [formatAddress(address), original, notify]),
      [
        [HANAKO, 'rfc822;hanako@old.example', ['delay']],
        // A delay is told only to those who ask: nobody here has verified the sender.
        ['kyoumu@campus.example', undefined, ['failure']],
      ],
    )
    const received =
      /^Received: from mx\.foreign\.example \(192\.0\.2\.7\)\r\n by mail\.campus\.example with UTF8LMTP id D1;\r\n [^\r]+\r\n/
    for (const [at, text] of [TEXT, LARGE].entries()) {
      const octets = await octetsOf(at)
      assert.match(octets, received)
      assert.equal(octets.replace(received, ''), text)
    }
  })

  it('is filed at once where they are there, and nothing is queued', async () => {
    assert.deepEqual(await deliver(), ['250 2.1.5'])
    assert.deepEqual([await filed(), (await queued()).length], [1, 0])
  })

  it('is queued where they turn out to be away; what streams to them already comes again', async () => {
    mailboxes.fault = AWAY
    assert.deepEqual(await deliver(), ['250 2.1.5'])
    assert.deepEqual(await deliver({ text: LARGE }), ['451 4.3.0'])
    mailboxes.fault = undefined
    assert.equal((await queued()).length, 1)
    assert.match(await octetsOf(0), /\r\n水曜日です。\r\n$/)
  })

  it('is not queued for whom a script has refused it: that is said now', async () => {
    const text = 'require "reject"; reject "いりません";'
    await mailboxes.changeScript({
      accountId: `id-${HANAKO}` as AccountId,
      change: { kind: 'put', name: '主', text, activate: true },
    })
    const to = [HANAKO, TARO].map((each) => ({ address: addr(each) }))
    const replies = await deliver({ to, commit: () => Promise.reject(AWAY) })
    assert.deepEqual(replies, ['550 5.7.1', '250 2.1.5'])
    const [message] = await queued()
    assert.deepEqual(
      message!.recipients.map(({ address }) => formatAddress(address)),
      [TARO],
    )
  })

  it('is told to come again where the trouble is another one than absence', async () => {
    for (const [fault, reply] of [
      [new Fault('full', 'ENOSPC'), '452 4.3.1'],
      [new Fault('corrupt', 'no record there'), '451 4.3.0'],
    ] as const)
      assert.deepEqual(await deliver({ commit: () => Promise.reject(fault) }), [reply])
    assert.deepEqual(await deliver({ state: 'full' }), ['452 4.3.1'])
    assert.equal((await queued()).length, 0)
  })

  it('stays where it is when it is of a gateway of ours: that has a queue itself', async () => {
    const command = { handed: { deliveryId: 'D7' } }
    assert.deepEqual(await deliver({ state: 'stalled', command }), ['451 4.3.0'])
    assert.deepEqual(await deliver({ command, commit: () => Promise.reject(AWAY) }), ['451 4.3.0'])
    assert.equal((await queued()).length, 0)
  })

  it('is refused before its octets below the reserve of the queue', async () => {
    await spool.close()
    spool = await openSpool({ dir, clock, reserveBytes: Number.MAX_SAFE_INTEGER })
    assert.deepEqual(await deliver({ state: 'stalled' }), ['452 4.3.1'])
    mailboxes.fault = AWAY
    assert.deepEqual(await deliver(), ['451 4.3.0'])
    mailboxes.fault = undefined
    assert.deepEqual(await deliver(), ['250 2.1.5'])
  })
})
