import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'

import { silentLog } from '#base/log.ts'
import { concatOctets, fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { NodeCaller } from '#client/node/node-caller.ts'
import type { OutboxHead } from '#contract/node/wire.ts'
import type { DeliveryMailboxes } from '#engine/deliver/delivery-mailboxes.ts'
import { Courier } from '#engine/queue/courier.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { DeliveryId } from '#model/envelope.ts'
import type { NewEvent } from '#model/event.ts'
import type { Uid } from '#model/mailbox.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { openSpool } from '#store/spool/open.ts'
import type { OpenSpool } from '#store/spool/open.ts'
import type { Accept } from '#store/spool/spool-store.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { fakeSigner } from '#test/fake/signing.ts'

import { DeliveryCarrier } from './delivery-carrier.ts'

const HANAKO = 'hanako@campus.example'
const ROWS: readonly DirectoryRow[] = [
  { kind: 'domain', domain: { name: 'campus.example' } },
  { kind: 'account', account: fakeAccount(HANAKO) },
  { kind: 'account', account: fakeAccount('taro@campus.example') },
  {
    kind: 'alias',
    alias: { from: addr('kyoumu@campus.example'), to: [addr(HANAKO), addr('友@b.example')] },
  },
]
const TEXT = 'Received: here\r\nSubject: 会議\r\n\r\n水曜日です。\r\n'
const AWAY = new Fault('stalled', 'no answer in 4000 ms')

/** A gateway whose queue is a list; its answers are lost on demand. */
class FakeGateway extends NodeCaller {
  readonly taken: { readonly head: OutboxHead; readonly text: string }[] = []
  fault: Fault | undefined

  constructor(clock: FakeClock) {
    super({ dial: () => assert.fail('nobody is dialled'), clock })
  }

  override async outbox(head: OutboxHead, octets: AsyncIterable<Octets>): Promise<void> {
    const pieces: Octets[] = []
    for await (const piece of octets) pieces.push(piece)
    this.taken.push({ head, text: toUtf8(concatOctets(pieces)) })
    if (this.fault !== undefined) throw this.fault
  }
}

describe("what waits in a deliver's queue", () => {
  let clock: FakeClock
  let dir: string
  let spool: OpenSpool
  let store: FakeMailboxStore
  let gateway: FakeGateway
  let courier: Courier
  let events: NewEvent[]
  let state: { state: string; reason?: string }
  let commit: DeliveryMailboxes['commit'] | undefined

  beforeEach(async () => {
    clock = new FakeClock()
    dir = await mkdtemp(join(tmpdir(), 'watari-carrier-'))
    spool = await openSpool({ dir, clock, reserveBytes: 0 })
    store = new FakeMailboxStore()
    gateway = new FakeGateway(clock)
    events = []
    state = { state: 'ready' }
    commit = undefined
    const directory = fakeDirectory(ROWS)
    const sink = { emit: (event: NewEvent) => void events.push(event) }
    const carrier = new DeliveryCarrier({
      spool,
      directory,
      delivery: {
        mailboxes: {
          openLarge: store.openLarge,
          appendLarge: store.appendLarge,
          abortLarge: store.abortLarge,
          filing: store.filing,
          remembered: store.remembered,
          script: store.script,
          commit: (request) => (commit ?? store.commit)(request),
        },
        clock,
        log: silentLog,
        events: sink,
        filed: () => undefined,
      },
      hostname: 'mail.campus.example',
      mailboxes: () => state,
      doubt: () => undefined,
      gatewayFor: () => ({ node: 'gw-1', caller: gateway }),
      clock,
    })
    courier = new Courier({
      spool,
      signer: fakeSigner().signer,
      carrier,
      hopOf: ({ door }) => (door === 'lmtp' ? { kind: 'local' } : undefined),
      directory,
      clock,
      log: silentLog,
      events: sink,
      hostname: 'mail.campus.example',
      settings: () => ({
        retryMs: [MINUTE_MS],
        delayNoticeMs: 4 * HOUR_MS,
        lifetimeMs: 120 * HOUR_MS,
      }),
      gatherMs: 0,
    })
  })
  afterEach(async () => {
    await courier.stop(20 * SECOND_MS)
    await spool.close()
    await store.close()
    await rm(dir, { recursive: true })
  })

  const put = async (to: readonly string[], more: Partial<Accept> = {}): Promise<void> => {
    await spool.accept({
      deliveryId: 'D1' as DeliveryId,
      door: 'lmtp',
      reversePath: addr('太郎@b.example'),
      recipients: to.map((each) => ({ address: addr(each), notify: ['failure'] })),
      body: '8bitmime',
      smtpUtf8: true,
      receivedAtMs: clock.nowMs(),
      expiresAtMs: clock.nowMs() + 120 * HOUR_MS,
      content: { octets: [fromUtf8(TEXT)] },
      ...more,
    })
    courier.wake()
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  /** Moves time on, only while nothing is at work, until it is so. */
  const pass = async (stepMs: number, isSo: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await isSo())) {
      if ((await spool.status()).recipients.claimed === 0) clock.advance(stepMs)
      await turn()
    }
  }
  const isEmpty = async (): Promise<boolean> => (await spool.status()).messages === 0
  const named = (name: string): NewEvent[] => events.filter((event) => event.name === name)
  const filed = async (): Promise<number> => (await store.status()).messages
  const inbox = async (): Promise<string[]> => {
    const accountId = `id-${HANAKO}` as AccountId
    const { mailboxes } = await store.mailboxes({ accountId })
    const { id } = mailboxes.find(({ use }) => use === 'inbox')!
    const view = await store.view({ accountId, mailboxId: id })
    const texts: string[] = []
    for (const uid of view!.uids) {
      const ask = { accountId, mailboxId: id, uid: uid as Uid, offset: 0, length: 10_000 }
      texts.push(toUtf8((await store.read(ask)).octets!))
    }
    return texts
  }

  it('waits without an end while the mailboxes are away, and is filed once when they are back', async () => {
    state = { state: 'stalled', reason: 'mailboxes: no answer' }
    await put(['kyoumu@campus.example'])
    await pass(12 * HOUR_MS, () => named('queue.deferred').length > 20)
    const [{ recipients } = { recipients: [] }] = (await spool.list({ limit: 1 })).messages
    assert.equal(recipients[0]!.lastStatus, '451 4.3.0 mailboxes: no answer')
    assert.deepEqual([named('queue.dsn').length, await filed()], [0, 0], 'nobody was told')
    state = { state: 'ready' }
    await pass(SECOND_MS, isEmpty)
    assert.deepEqual(await inbox(), [
      `Return-Path: <太郎@b.example>\r\nDelivered-To: kyoumu@campus.example\r\n${TEXT}`,
    ])
    // The alias leads elsewhere as well: that leaves by the outbox, in the same commit.
    const { items } = await store.outbox({ limit: 10 })
    assert.deepEqual(items.map((item) => item.recipients.map(formatAddress)).flat(), [
      '友@b.example',
    ])
  })

  it('is filed once though the answer to its commit was lost', async () => {
    let lost = 0
    commit = async (request) => {
      await store.commit(request)
      lost++
      throw AWAY
    }
    await put([HANAKO, 'kyoumu@campus.example'])
    await pass(SECOND_MS, () => lost === 3)
    commit = undefined
    await pass(SECOND_MS, isEmpty)
    assert.equal((await inbox()).length, 1)
    assert.equal((await store.outbox({ limit: 10 })).items.length, 1)
    assert.equal(named('queue.failed').length, 0)
  })

  it('is kept where a script would refuse it: nobody is left to be told', async () => {
    const text = 'require "reject"; reject "いりません";'
    const change = { kind: 'put', name: '主', text, activate: true } as const
    await store.changeScript({ accountId: `id-${HANAKO}` as AccountId, change })
    await put([HANAKO])
    await pass(SECOND_MS, isEmpty)
    assert.equal((await inbox()).length, 1)
    assert.equal(named('queue.dsn').length, 0)
  })

  it('comes back where its mailbox has gone, by a gateway, under an id of its own', async () => {
    await put(['nobody@campus.example'])
    await pass(SECOND_MS, isEmpty)
    const [{ head, text } = assert.fail()] = gateway.taken
    assert.deepEqual(
      [head.reversePath, head.recipients.map(formatAddress)],
      [null, ['太郎@b.example']],
    )
    assert.match(text, /Final-Recipient: rfc822; nobody@campus\.example\r\n[^]*Status: 5\.1\.1\r\n/)
    assert.notEqual(head.id, 'D1')
  })

  it('is told to be late only where that was asked for', async () => {
    state = { state: 'stalled' }
    await put([HANAKO])
    await put(['taro@campus.example'], {
      recipients: [{ address: addr('taro@campus.example'), notify: ['delay'] }],
    })
    await pass(HOUR_MS, () => gateway.taken.length > 0)
    assert.match(gateway.taken[0]!.text, /taro@campus\.example\r\n[^]*Action: delayed\r\n/)
    assert.equal(named('queue.dsn').length, 1)
  })

  it('leaves by a gateway once for each recipient, with the same ids after a lost answer', async () => {
    gateway.fault = new Fault('timeout', 'no answer')
    const to = ['友@b.example', 'x@b.example', HANAKO]
    await put(to, { door: 'outbox', deliveryId: 'D1-0123' as DeliveryId })
    await pass(SECOND_MS, () => gateway.taken.length >= 4)
    gateway.fault = undefined
    const before = gateway.taken.length
    await pass(SECOND_MS, isEmpty)
    const ids = (all: typeof gateway.taken) =>
      new Set(all.map(({ head }) => `${head.id} ${head.recipients.map(formatAddress).join()}`))
    const both = new Set(['D1-0123 友@b.example', 'D1-0123-r1 x@b.example'])
    assert.deepEqual(ids(gateway.taken.slice(0, before)), both)
    assert.deepEqual(ids(gateway.taken.slice(before)), both)
    for (const { text, head } of gateway.taken)
      assert.deepEqual(
        [text, head.kind, head.sizeBytes],
        [TEXT, 'forward', fromUtf8(TEXT).byteLength],
      )
    const [mine] = await inbox()
    assert.match(
      mine!,
      /\r\nReceived: by mail\.campus\.example id D1-0123;\r\n [^\r]+\r\nReceived: here\r\n/,
    )
  })
})
