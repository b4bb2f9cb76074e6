import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { FakeClock, systemClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { MESSAGES_AT_ONCE } from '#store/mailbox/commit.ts'
import type { CommitRequest, MailboxChange } from '#store/mailbox/commit.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import { StorageChild } from './child-process.ts'
import type { StorageChildOptions } from './child-process.ts'
import { LateCommits } from './late-commits.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-outcome-'))
after(() => rmSync(root, { recursive: true, force: true }))

const accountId = 'account-hanako' as AccountId
const append = (content = 0): MailboxChange => ({
  kind: 'append',
  mailbox: { path: ['INBOX'], create: false },
  content,
  flags: 0,
  keywords: [],
  internalDateMs: 1,
})
const mail = (n: number): CommitRequest => ({
  contents: [{ octets: [fromUtf8(`Subject: 渡り ${n}\r\n\r\n`)] }],
  commits: [{ accountId, changes: [append()] }],
})

/** A child that dies or hangs where `failpoints` say, and another after it; deadlines come when they are made to. */
async function storage(t: TestContext, failpoints: string) {
  return storageBy(t, new FakeClock(), { failpoints })
}

async function storageBy<C extends Clock>(
  t: TestContext,
  clock: C,
  more: Partial<StorageChildOptions<'mailbox'>>,
) {
  const told: StoreChanged[] = []
  const child = new StorageChild({
    kind: 'mailbox',
    dir: mkdtempSync(join(root, 'v-')),
    clock,
    log: silentLog,
    options: { reserveBytes: 0 },
    ...more,
    onNotice: (topic, payload) => void (topic === 'changed' && told.push(payload as StoreChanged)),
    onLate: (late) => lates.heard(late),
  })
  const mailboxes = child.service('mailboxes')
  const lates = new LateCommits({ mailboxes, clock, log: silentLog })
  t.after(() => child.stop())
  await child.start()
  /** Lets the next child begin. */
  const revive = async (): Promise<void> => {
    while (child.state().kind !== 'down') await new Promise(setImmediate)
    if (clock instanceof FakeClock) clock.advance(100)
    while (child.state().kind !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return {
    child,
    clock,
    told,
    mailboxes,
    revive,
    async uids(): Promise<number[]> {
      const { mailboxes: rows } = await mailboxes.mailboxes({ accountId })
      const { id } = rows.find(({ use }) => use === 'inbox')!
      return Array.from((await mailboxes.view({ accountId, mailboxId: id }))!.uids)
    },
  }
}

describe('a commit whose storage child is killed', () => {
  for (const [where, point] of [
    ['between the sync and COMMIT', 'mailbox.synced'],
    ['between COMMIT and its answer', 'mailbox.committed'],
    ['on the way of the answer', 'mailbox.replied'],
  ] as const)
    test(`${where}: whoever asked is told the UID that the message has`, async (t) => {
      const at = await storage(t, `${point}=die@2`)
      await at.mailboxes.commit(mail(1))
      at.told.length = 0
      const asked = at.mailboxes.commit(mail(2))
      await at.revive()
      const { results } = await asked
      assert.ok(results[0]?.kind === 'committed' && results[0].results[0]?.kind === 'append')
      assert.equal(results[0].results[0].uid, 2)
      assert.deepEqual(await at.uids(), [1, 2])
      assert.ok(
        at.told.some((change) => 'mailboxId' in change),
        'readers hear of it',
      )
    })

  test('before its octets are durable: it is refused, and nothing is there', async (t) => {
    const at = await storage(t, 'mailbox.applied=die@2')
    await at.mailboxes.commit(mail(1))
    const asked = assert.rejects(at.mailboxes.commit(mail(2)), (thrown) =>
      isFault(thrown, 'closed'),
    )
    await at.revive()
    await asked
    assert.deepEqual(await at.uids(), [1])
  })

  test('a submission (RFC 8621 §7) that is refused does not leave, and one that leaves was taken', async (t) => {
    for (const [point, isTaken] of [
      ['mailbox.applied', false],
      ['mailbox.committed', true],
    ] as const) {
      const at = await storage(t, `${point}=die@2`)
      await at.mailboxes.commit(mail(1))
      const entry = {
        id: 'E1',
        kind: 'submission',
        reversePath: null,
        recipients: [{ localpart: '太郎', domain: 'b.example' }],
        body: '8bitmime',
        smtpUtf8: true,
        content: 0,
      } as const
      const { contents } = mail(2)
      const commits = [{ accountId, changes: [], outbox: [entry] }]
      const asked = at.mailboxes.commit({ contents, commits }).then(
        ({ results }) => results[0]?.kind === 'committed',
        () => false,
      )
      await at.revive()
      assert.equal(await asked, isTaken)
      const { items } = await at.mailboxes.outbox({ limit: 9 })
      assert.equal(items.length, isTaken ? 1 : 0)
    }
  })

  test('a copy of thousands tells each UID; commits at once are not taken for one another', async (t) => {
    // Three for the messages, one for each step of the copy.
    const at = await storage(t, 'mailbox.committed=die@5')
    const few = { length: 1_000 }
    for (let n = 0; n < 3; n++)
      await at.mailboxes.commit({
        contents: mail(n).contents,
        commits: [{ accountId, changes: Array.from(few, () => append()) }],
      })
    const uids = await at.uids()
    assert.ok(uids.length > MESSAGES_AT_ONCE)
    const { mailboxes: rows } = await at.mailboxes.mailboxes({ accountId })
    const { id } = rows.find(({ use }) => use === 'inbox')!
    const copy = {
      kind: 'copy',
      from: id,
      uids: uids as never,
      to: { path: ['控え'], create: true },
    } as const
    const asked = at.mailboxes.commit({ contents: [], commits: [{ accountId, changes: [copy] }] })
    await at.revive()
    const { results } = await asked
    assert.ok(results[0]?.kind === 'committed' && results[0].results[0]?.kind === 'copy')
    assert.deepEqual(
      [Array.from(results[0].results[0].sources), results[0].results[0].targets.length],
      [uids, uids.length],
    )
  })

  test('several at once: each is told its own', async (t) => {
    const at = await storage(t, 'mailbox.committed=die@2')
    await at.mailboxes.commit(mail(1))
    const asked = [2, 3, 4, 5].map((n) =>
      at.mailboxes.commit(mail(n)).then(
        ({ results: [result] }) =>
          result?.kind === 'committed' && result.results[0]?.kind === 'append'
            ? [result.results[0].uid]
            : [],
        () => [],
      ),
    )
    await at.revive()
    const told = (await Promise.all(asked)).flat()
    assert.deepEqual(await at.uids(), [1, ...told])
  })

  test('a child that stood still makes nothing of what was given up meanwhile, and answers again', async (t) => {
    const at = await storageBy(t, systemClock, { deadlineMs: 1_000 })
    const row = async () =>
      (await at.mailboxes.mailboxes({ accountId })).mailboxes.find(({ use }) => use === 'inbox')!
    while ((await row().catch(() => undefined)) === undefined);
    process.kill(at.child.pid!, 'SIGSTOP')
    await assert.rejects(at.mailboxes.commit(mail(1)), (thrown) => isFault(thrown, 'stalled'))
    process.kill(at.child.pid!, 'SIGCONT')
    let found: Awaited<ReturnType<typeof row>> | undefined
    while (found === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      found = await row().catch(() => undefined)
    }
    // Neither there nor taken back: no UID was used.
    assert.deepEqual([found.messages, found.uidNext], [0, 1])
  })

  test('after its asker was told NO: it is taken back', async (t) => {
    const at = await storage(t, 'mailbox.committed=hang@2')
    await at.mailboxes.commit(mail(1))
    const asked = assert.rejects(at.mailboxes.commit(mail(2)), (thrown) =>
      isFault(thrown, 'stalled'),
    )
    // The row is seen by others before the answer is on its way.
    while ((await at.uids()).length < 2) await new Promise(setImmediate)
    for (let n = 0; n < 50; n++) at.clock.advance(100)
    await asked
    const { pid } = at.child
    process.kill(pid!, 'SIGKILL')
    await at.revive()
    while ((await at.uids()).length > 1) await new Promise(setImmediate)
    assert.deepEqual(await at.uids(), [1])
  })
})
