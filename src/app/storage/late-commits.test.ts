import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { AccountCommit, CommitRequest, MailboxChange } from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { Caller } from './caller.ts'
import { LateCommits } from './late-commits.ts'
import type { ToChild } from './messages.ts'
import { proxyOf } from './proxy.ts'

const HANAKO = 'account-hanako' as AccountId
const APPEND: MailboxChange = {
  kind: 'append',
  mailbox: { path: ['INBOX'], create: false },
  content: 0,
  flags: 0,
  keywords: [],
  internalDateMs: 1,
}

/** A store that answers when it is let go, behind a caller with a deadline. */
function slowStore() {
  const store = new FakeMailboxStore()
  const clock = new FakeClock()
  const calls: (ToChild & readonly ['call', ...unknown[]])[] = []
  const caller = new Caller({ clock, deadlineMs: 1_000, onLate: (late) => lates.heard(late) })
  const mailboxes = proxyOf(caller, 'mailboxes') as MailboxStore
  const lates = new LateCommits({ mailboxes, clock, log: silentLog })
  caller.connect({
    send: (value) => void calls.push(value as (typeof calls)[number]),
    flush: () => undefined,
    destroy: () => undefined,
  })
  const answerOne = async (): Promise<void> => {
    const [, id, , , argument] = calls.shift()!
    caller.take(['answer', id, await store.commit(argument as CommitRequest)])
  }
  return {
    store,
    clock,
    mailboxes,
    calls,
    lates,
    answerOne,
    /** A commit that is given up, and made afterwards; then whatever that brings about. */
    async late(commit: Omit<AccountCommit, 'accountId'>): Promise<void> {
      const given = mailboxes.commit({
        contents: [{ octets: [fromUtf8('Subject: 渡り\r\n\r\n')] }],
        commits: [{ accountId: HANAKO, ...commit }],
      })
      for (let n = 0; n < 12; n++) clock.advance(100)
      await assert.rejects(given, (thrown) => isFault(thrown, 'stalled'))
      while (calls.length > 0) await answerOne()
    },
    async inbox(): Promise<{ id: MailboxId; uids: number[] }> {
      const { mailboxes: all } = await store.mailboxes({ accountId: HANAKO })
      const { id } = all.find(({ path }) => path[0] === 'INBOX')!
      const view = await store.view({ accountId: HANAKO, mailboxId: id })
      return { id, uids: Array.from(view!.uids) }
    },
  }
}

test('a message that was filed after NO was said is taken back, and nobody else’s', async () => {
  const at = slowStore()
  await at.store.commit({
    contents: [{ octets: [fromUtf8('Subject: 1\r\n\r\n')] }],
    commits: [{ accountId: HANAKO, changes: [APPEND] }],
  })
  await at.late({ changes: [APPEND, APPEND] })
  const { id, uids } = await at.inbox()
  assert.deepEqual(uids, [1])
  const copy = { kind: 'copy', from: id, uids: [1 as Uid], to: { id } } as const
  await at.late({ changes: [copy] })
  assert.deepEqual((await at.inbox()).uids, [1])
})

test('what is done once however often it is asked stands, and what took something away', async () => {
  const at = slowStore()
  await at.late({ changes: [APPEND], deliveryId: 'D1' })
  const { id, uids } = await at.inbox()
  assert.deepEqual(uids, [1])
  // REPLACE (RFC 8508): taken back, it would cost both.
  const old = { kind: 'expunge', mailboxId: id, uids: [1 as Uid], deletedOnly: false } as const
  await at.late({ changes: [APPEND, old] })
  assert.deepEqual((await at.inbox()).uids, [2])
  await at.late({ changes: [{ ...APPEND, assigned: { uid: 9 as Uid } }] })
  assert.deepEqual((await at.inbox()).uids, [2, 9])
})

test('it is taken back, too, where storage falls silent again meanwhile', async () => {
  const at = slowStore()
  const given = at.mailboxes.commit({
    contents: [{ octets: [fromUtf8('Subject: 2\r\n\r\n')] }],
    commits: [{ accountId: HANAKO, changes: [APPEND] }],
  })
  for (let n = 0; n < 12; n++) at.clock.advance(100)
  await assert.rejects(given)
  await at.answerOne()
  // The expunge is given up as well; it is asked for once more, and both are made.
  while (at.calls.length < 1) await new Promise(setImmediate)
  for (let n = 0; n < 12; n++) at.clock.advance(100)
  await new Promise(setImmediate)
  await at.answerOne()
  for (let n = 0; n < 12; n++) at.clock.advance(100)
  while (at.calls.length < 1) await new Promise(setImmediate)
  await at.answerOne()
  assert.deepEqual((await at.inbox()).uids, [])
  at.lates.close()
})
