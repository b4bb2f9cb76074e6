import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { NewEvent } from '#model/event.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { Expiry } from './expiry.ts'

const accountId = '花子' as AccountId

describe('the runs that delete what mailboxes keep no longer', () => {
  let store: FakeMailboxStore
  let events: NewEvent[]
  let expiry: Expiry
  let perRunMax = 10_000

  beforeEach(() => {
    store = new FakeMailboxStore()
    events = []
    perRunMax = 10_000
    expiry = begin()
  })
  afterEach(async () => {
    await expiry.close()
    await store.close()
  })

  const begin = (): Expiry =>
    new Expiry({
      mailboxes: store,
      clock: store.clock,
      log: memoryLog(),
      events: { emit: (event) => events.push(event) },
      perRunMax: () => perRunMax,
    })

  /** Lets the clock go on, and what falls due come to its end. */
  async function pass(ms: number): Promise<void> {
    store.clock.advance(ms)
    for (let turn = 0; turn < 200; turn++) {
      await new Promise(setImmediate)
      store.clock.advance(5)
    }
  }

  async function spam(count: number): Promise<void> {
    const change: MailboxChange = {
      kind: 'append',
      mailbox: { path: ['Junk', 'SPAM'], create: false },
      content: 0,
      flags: 0,
      keywords: [],
      internalDateMs: 0,
    }
    await store.commit({
      contents: [{ octets: [fromUtf8('Subject: 当選\r\n\r\n')] }],
      commits: [{ accountId, changes: Array.from({ length: count }, () => change) }],
    })
  }
  const left = async (): Promise<number> => {
    const { mailboxes } = await store.mailboxes({ accountId })
    return mailboxes.find(({ path }) => path.join('/') === 'Junk/SPAM')!.messages
  }
  const told = (): string[] => events.map(({ name, fields }) => `${name} ${JSON.stringify(fields)}`)

  it('come soon after the start and every three hours', async () => {
    await spam(3)
    await pass(29 * DAY_MS)
    assert.equal(await left(), 3)
    for (let hours = 0; hours < 30; hours++) await pass(HOUR_MS)
    assert.equal(await left(), 0)
    assert.deepEqual(told(), ['store.expired {"messages":3,"mailboxes":1,"limited":false}'])
  })

  it('delete no more at once than the setting says, and the rest by the next', async () => {
    await spam(2_500)
    perRunMax = 1_000
    await pass(MINUTE_MS)
    store.clock.advance(0)
    const days: number[] = []
    for (let day = 0; day < 30; day++) await pass(DAY_MS)
    for (let run = 0; run < 4; run++) {
      days.push(await left())
      await pass(3 * HOUR_MS)
    }
    assert.equal(await left(), 0)
    for (const [index, rest] of days.slice(1).entries())
      assert.ok(days[index]! - rest <= 1_000, days.join(' '))
    assert.match(told()[0]!, /"messages":1000,.*"limited":true/)
  })

  it('hold when the clock has jumped by years, tell it, and go on when an administrator has looked', async () => {
    await spam(1_500)
    await pass(MINUTE_MS)
    await expiry.close()
    store.clock.advance(3_650 * DAY_MS)
    expiry = begin()
    await pass(MINUTE_MS)
    assert.equal(await left(), 1_500)
    assert.match(told().at(-1)!, /^store\.expiryHeld \{"lastRun":"2026-/)
    await pass(3 * HOUR_MS)
    assert.equal(await left(), 1_500)
    // watari mailbox expire ends so.
    await store.noteExpiry({ ranAtMs: store.clock.nowMs() })
    await pass(3 * HOUR_MS)
    assert.equal(await left(), 0)
  })

  it('let a few go after a jump, which can come back', async () => {
    await spam(20)
    await pass(MINUTE_MS)
    await expiry.close()
    store.clock.advance(31 * DAY_MS)
    expiry = begin()
    await pass(MINUTE_MS)
    assert.equal(await left(), 0)
  })

  it('a clock that goes back deletes nothing, and nothing is lost when it is right again', async () => {
    await spam(2)
    await pass(MINUTE_MS)
    store.clock.advance(-3_650 * DAY_MS)
    await pass(DAY_MS)
    assert.equal(await left(), 2)
  })

  it('go on after a disk that failed', async () => {
    await spam(2)
    store.fault = new Fault('stalled', 'ディスクが答えない')
    await pass(31 * DAY_MS)
    store.fault = undefined
    assert.equal(await left(), 2)
    await pass(3 * HOUR_MS)
    assert.equal(await left(), 0)
  })
})
