import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { NewEvent } from '#model/event.ts'
import type { Uid } from '#model/mailbox.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { JunkReports } from './junk-reports.ts'

const accountId = 'hanako' as AccountId
let store: FakeMailboxStore
let emitted: NewEvent[]
let logged: NewEvent[]
let done: FakeMailboxStore['junkReportsDone']
let reports: JunkReports
let deliveries = 0
beforeEach(() => {
  store = new FakeMailboxStore()
  emitted = []
  logged = []
  done = store.junkReportsDone
  reports = new JunkReports({
    mailboxes: {
      junkReports: store.junkReports,
      junkReportsDone: (all) => done(all),
      emails: store.emails,
      read: store.read,
    },
    events: {
      emit: (event) => void emitted.push(event),
      flush: async () => void logged.push(...emitted.splice(0)),
    },
    clock: store.clock,
    log: silentLog,
  })
})
afterEach(async () => {
  await reports.close()
  await store.close()
})

const idOf = async (name: string) =>
  (await store.mailboxes({ accountId })).mailboxes.find(({ path }) => path.join('/') === name)!.id

/** Files a mail as it was judged, and moves it. */
async function move(verdict: string, from: string, to: string): Promise<void> {
  const text = `Received: x\r\n${verdict}Subject: 会議\r\n\r\n本文\r\n`
  const { results } = await store.commit({
    contents: [{ octets: [fromUtf8(text)] }],
    commits: [
      {
        accountId,
        deliveryId: `D${++deliveries}`,
        changes: [
          {
            kind: 'append',
            mailbox: { path: from.split('/'), create: false },
            content: 0,
            flags: 0,
            keywords: [],
            internalDateMs: 1,
          },
        ],
      },
    ],
  })
  const [filed] = results[0]?.kind === 'committed' ? results[0].results : []
  assert.ok(filed?.kind === 'append')
  const change = { kind: 'move', from: filed.mailboxId, uids: [filed.uid] as Uid[] } as const
  await store.commit({
    contents: [],
    commits: [{ accountId, changes: [{ ...change, to: { id: await idOf(to) } }] }],
  })
}

const told = () => logged.map(({ name, fields }) => `${name} ${String(fields['class'])}`)

describe('reports of junk', () => {
  it('become events that say what the mail was judged to be', async () => {
    await move('X-Watari-Verdict: spam;\r\n\tscore=12\r\n', 'Junk/SPAM', 'INBOX')
    await move('X-Watari-Verdict: clean; score=0\r\n', 'INBOX', 'Junk')
    await move('X-Watari-Verdict: 嘘\r\n', 'INBOX', 'Junk/Suspected SPAM')
    await move('', 'INBOX', 'Archive')
    reports.wake()
    await reports.idle()
    assert.deepEqual(told(), ['junk.denied spam', 'junk.reported clean', 'junk.reported null'])
    assert.match(String(logged[0]?.fields['emailId']), /^E/)
    assert.equal(logged[0]?.fields['accountId'], accountId)
    assert.deepEqual((await store.junkReports({ limit: 9 })).reports, [])
  })

  it('are told again, and can be told apart, where nobody knows whether they were', async () => {
    await move('', 'INBOX', 'Junk')
    done = () => Promise.reject(new Fault('stalled', 'わざと'))
    reports.wake()
    await reports.idle()
    done = store.junkReportsDone
    store.clock.advance(MINUTE_MS)
    await reports.idle()
    assert.deepEqual(told(), ['junk.reported null', 'junk.reported null'])
    assert.equal(logged[0]?.fields['report'], logged[1]?.fields['report'])
  })

  it('of a mail that is gone meanwhile are told without its class', async () => {
    await move('X-Watari-Verdict: spam\r\n', 'Junk', 'INBOX')
    const change = { kind: 'expunge', mailboxId: await idOf('INBOX'), uids: 'all' } as const
    await store.commit({
      contents: [],
      commits: [{ accountId, changes: [{ ...change, deletedOnly: false }] }],
    })
    reports.wake()
    await reports.idle()
    assert.deepEqual(told(), ['junk.denied null'])
  })
})
