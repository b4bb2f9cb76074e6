import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'

import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock, MINUTE_MS } from '#base/time.ts'
import { NodeCaller } from '#client/node/node-caller.ts'
import type { OutboxHead } from '#contract/node/wire.ts'
import type { AccountId } from '#model/account.ts'
import { addr } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'

import { OutboxPump } from './outbox-pump.ts'

/** More than one look takes. */
const WAITING = 120

class FakeNode extends NodeCaller {
  readonly taken: string[] = []
  asked = 0
  isAway = false

  constructor(clock: FakeClock) {
    super({ dial: () => assert.fail('nobody is dialled'), clock })
  }

  override async outbox(head: OutboxHead, octets: AsyncIterable<Octets>): Promise<void> {
    this.asked++
    if (this.isAway) throw new Fault('unreachable', 'nobody is there')
    for await (const _ of octets);
    this.taken.push(head.id)
  }
}

describe("what goes from a store's outbox to queues", () => {
  let store: FakeMailboxStore
  let clock: FakeClock
  let deliver: FakeNode
  let gateway: FakeNode
  let pump: OutboxPump
  beforeEach(() => {
    store = new FakeMailboxStore()
    clock = new FakeClock()
    deliver = new FakeNode(clock)
    gateway = new FakeNode(clock)
    pump = new OutboxPump({
      mailboxes: store,
      queueFor: ({ kind }) =>
        kind === 'submission'
          ? { node: 'gw-1', caller: gateway }
          : { node: 'deliver-1', caller: deliver },
      clock,
      log: silentLog,
    })
  })
  afterEach(async () => {
    await pump.stop()
    await store.close()
  })

  const put = async (id: string, kind: 'forward' | 'submission'): Promise<void> => {
    const outbox = {
      id,
      kind,
      reversePath: null,
      recipients: [addr('友@b.example')],
      body: '8bitmime',
      smtpUtf8: true,
      content: 0,
    } as const
    await store.commit({
      contents: [{ octets: [fromUtf8(`Subject: 会議 ${id}\r\n\r\n`)] }],
      commits: [{ accountId: 'hanako' as AccountId, changes: [], outbox: [outbox] }],
    })
  }
  const left = async (): Promise<number> => (await store.status()).outbox
  const until = async (isSo: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve))
  }

  it('waits for a node that is away, and holds up nothing that goes to another', async () => {
    deliver.isAway = true
    for (let n = 0; n < WAITING; n++) await put(`F${n}`, 'forward')
    await put('S1', 'submission')
    pump.wake()
    await until(async () => (await left()) === WAITING)
    assert.deepEqual([gateway.taken, deliver.taken], [['S1'], []])
    assert.ok(deliver.asked < 10, `asked ${deliver.asked} times: once a look`)
    deliver.isAway = false
    await until(async () => {
      clock.advance(MINUTE_MS)
      return (await left()) === 0
    })
    assert.deepEqual(
      deliver.taken,
      Array.from({ length: WAITING }, (_, n) => `F${n}`),
      'in their order',
    )
  })
})
