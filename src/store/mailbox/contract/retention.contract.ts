import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toUtf8 } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { AccountId } from '#model/account.ts'
import type { EmailId, MailboxPath } from '#model/mailbox.ts'
import { append, expunging, hanako, taro, uidsOf } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'
import type { ExpungedEmail } from '#store/mailbox/stored-email.ts'

const SPAM: MailboxPath = ['Junk', 'SPAM']

/** expire, expunged and restore. */
export function retentionContract(bench: () => Bench): void {
  const fileInto = (path: MailboxPath, count = 1, accountId = hanako): Promise<unknown> =>
    bench().done(
      Array.from({ length: count }, () => append(path)),
      { accountId },
    )
  /** A whole run in steps; `mailbox: messages` of each step, in order. */
  const expire = async (more: { dryRun?: boolean; limit?: number; asOfMs?: number } = {}) => {
    const { store, clock } = bench()
    const told: string[] = []
    let steps = 0
    for (let after: string | undefined = ''; after !== undefined; steps++) {
      const ask = { asOfMs: clock.nowMs(), dryRun: false, limit: 1_000, ...more }
      const step = await store.expire({ ...ask, ...(after !== '' && { after }) })
      for (const { accountId, path, messages } of step.expired)
        told.push(`${accountId} ${path.join('/')}: ${messages}`)
      after = step.next
    }
    return { told, steps }
  }
  const countIn = async (path: MailboxPath, accountId: AccountId = hanako): Promise<number> =>
    (await bench().row(path, accountId)).messages
  const expunged = async (sinceMs = 0): Promise<readonly ExpungedEmail[]> =>
    (await bench().store.expunged({ accountId: hanako, sinceMs, limit: 1_000 })).emails

  describe('expire', () => {
    it('deletes on the day, neither before nor later, in mailboxes that nobody opened', async () => {
      const at = bench()
      await fileInto(SPAM, 2)
      await fileInto(['Junk'])
      await fileInto(SPAM, 1, taro)
      await fileInto(['INBOX'])
      at.clock.advance(29 * DAY_MS)
      await fileInto(SPAM)
      assert.deepEqual((await expire()).told, [])
      at.clock.advance(2 * DAY_MS)
      const before = at.changes.length
      assert.deepEqual((await expire({ dryRun: true })).told, [
        'hanako Junk: 1',
        'hanako Junk/SPAM: 2',
        'taro Junk/SPAM: 1',
      ])
      assert.equal(await countIn(SPAM), 3)
      assert.equal((await expire()).told.length, 3)
      assert.deepEqual(
        [await countIn(SPAM), await countIn(['Junk']), await countIn(SPAM, taro)],
        [1, 0, 0],
      )
      assert.equal(await countIn(['INBOX']), 1)
      assert.equal(at.changes.length - before, 3, 'who reads them is told')
      assert.deepEqual((await expire()).told, [])
    })

    it('counts from the day that a message entered the mailbox (RFC 8514), not from its date', async () => {
      const at = bench()
      const inbox = await at.fill(2, { internalDateMs: 1_000 })
      at.clock.advance(400 * DAY_MS)
      const to = { path: SPAM, create: false }
      await at.done([{ kind: 'move', from: inbox, uids: uidsOf(1), to }])
      at.clock.advance(29 * DAY_MS)
      assert.deepEqual((await expire()).told, [])
      at.clock.advance(DAY_MS)
      assert.deepEqual((await expire()).told, ['hanako Junk/SPAM: 1'])
    })

    it('goes by a user’s own days on any mailbox, and those of the mailbox above it', async () => {
      const at = bench()
      const lists: MailboxPath = ['メーリングリスト']
      const below: MailboxPath = [...lists, '全学']
      await at.done([{ kind: 'create', path: [...below, '保存'] }])
      const retain = async (path: MailboxPath, retention: number | 'forever') =>
        at.done([{ kind: 'retain', mailboxId: await at.idOf(...path), retention }])
      await retain(lists, 3)
      await retain([...below, '保存'], 'forever')
      for (const path of [lists, below, [...below, '保存']]) await fileInto(path)
      at.clock.advance(3 * DAY_MS)
      assert.deepEqual((await expire()).told, [
        'hanako メーリングリスト: 1',
        'hanako メーリングリスト/全学: 1',
      ])
      assert.equal(await countIn([...below, '保存']), 1)
    })

    it('a mailbox that is moved below another counts its days from then', async () => {
      const at = bench()
      await at.done([{ kind: 'create', path: ['古い案件', '議事録'] }])
      await fileInto(['古い案件', '議事録'])
      at.clock.advance(900 * DAY_MS)
      const mailboxId = await at.idOf('古い案件')
      await at.done([{ kind: 'rename', mailboxId, path: ['Junk', '古い案件'] }])
      assert.deepEqual((await expire()).told, [])
      assert.equal((await at.row(['Junk', '古い案件', '議事録'])).retainFromMs, at.clock.nowMs())
      at.clock.advance(30 * DAY_MS)
      assert.deepEqual((await expire()).told, ['hanako Junk/古い案件/議事録: 1'])
    })

    it('goes in steps of bounded size, whatever lies there', async () => {
      const at = bench()
      await fileInto(SPAM, 1_200)
      await fileInto(['Junk', 'Suspected SPAM'], 3)
      at.clock.advance(31 * DAY_MS)
      const { told, steps } = await expire()
      assert.deepEqual(
        told.slice(0, 3),
        [500, 500, 200].map((n) => `hanako Junk/SPAM: ${n}`),
      )
      assert.equal(told.at(-1), 'hanako Junk/Suspected SPAM: 3')
      assert.ok(steps >= 3)
      await fileInto(SPAM, 5)
      at.clock.advance(31 * DAY_MS)
      const few = await at.store.expire({ asOfMs: at.clock.nowMs(), dryRun: false, limit: 2 })
      assert.deepEqual([few.expired[0]?.messages, few.next === undefined], [2, false])
      await assert.rejects(
        at.store.expire({ asOfMs: 0, dryRun: true, limit: 1, after: '無い' }),
        /no place/,
      )
    })

    it('the end of the last run is kept', async () => {
      const { store } = bench()
      assert.deepEqual(await store.lastExpiry(), {})
      await store.noteExpiry({ ranAtMs: 5 })
      await store.noteExpiry({ ranAtMs: 7 })
      assert.deepEqual(await store.lastExpiry(), { ranAtMs: 7 })
    })
  })

  describe('restore', () => {
    const restore = async (emailIds: readonly EmailId[]): Promise<number> =>
      (await bench().one('restore', { kind: 'restore', emailIds })).restored

    it('brings back what expired, as it was, under new numbers', async () => {
      const at = bench()
      await at.done([append(SPAM, { flags: SEEN, keywords: ['$Important'] })])
      at.clock.advance(31 * DAY_MS)
      await expire()
      const gone = await expunged()
      assert.deepEqual(
        gone.map(({ path, goneAtMs }) => [path, goneAtMs]),
        [[SPAM, at.clock.nowMs()]],
      )
      const old = await at.store.mailboxes({ accountId: hanako })
      assert.equal(await restore(gone.map(({ emailId }) => emailId)), 1)
      const spam = await at.idOf(...SPAM)
      const view = await at.view(spam)
      assert.deepEqual([...view.uids], [2])
      assert.equal(view.flags[0]! & 31, SEEN)
      assert.equal(view.mailbox.keywords[Math.log2(view.flags[0]! - SEEN) - 5], '$Important')
      assert.equal(await at.read(spam, 2), 'Subject: 会議\r\n\r\n本文')
      assert.deepEqual((await expire()).told, [], 'its days count anew')
      assert.deepEqual(await expunged(), [])
      assert.equal(await restore(gone.map(({ emailId }) => emailId)), 0)
      const since = old.state
      const changes = await at.store.emailChanges({ accountId: hanako, since, limit: 9 })
      assert.deepEqual(
        changes?.changes.map(({ isNew, isGone }) => [isNew, isGone]),
        [[true, false]],
      )
    })

    it('goes back to where it lay before the trash, and without \\Deleted', async () => {
      const at = bench()
      await at.fill(1)
      const inbox = await at.fill(1)
      const trash = await at.idOf('Trash')
      const to = { path: ['Trash'], create: false }
      await at.done([{ kind: 'move', from: inbox, uids: uidsOf(1, 2), to }])
      await at.done([
        {
          kind: 'setFlags',
          mailboxId: trash,
          uids: uidsOf(1),
          mode: 'add',
          flags: DELETED + SEEN,
          keywords: [],
        },
        expunging(trash, [1]),
      ])
      const gone = await expunged()
      assert.deepEqual(
        gone.map(({ path }) => path),
        [['INBOX']],
        'what lies in the trash still is not gone',
      )
      await restore(gone.map(({ emailId }) => emailId))
      const view = await at.view(inbox)
      assert.deepEqual([[...view.uids], [...view.flags]], [[3], [0]])
      assert.deepEqual([view.mailbox.messages, view.mailbox.unseen], [1, 1])
      await at.done([expunging(inbox, [3])])
      assert.equal((await expunged()).length, 1)
    })

    it('makes a mailbox again that was deleted', async () => {
      const at = bench()
      await at.done([
        append(['会議', '来週'], { mailbox: { path: ['会議', '来週'], create: true } }),
      ])
      await at.done([{ kind: 'delete', mailboxId: await at.idOf('会議', '来週') }])
      const gone = await expunged()
      await restore(gone.map(({ emailId }) => emailId))
      const again = await at.idOf('会議', '来週')
      assert.equal(await at.read(again, 1), 'Subject: 会議\r\n\r\n本文')
      assert.equal(
        toUtf8(
          (
            await at.store.read({
              accountId: hanako,
              mailboxId: again,
              uid: uidsOf(1)[0]!,
              offset: 0,
              length: 7,
            })
          ).octets!,
        ),
        'Subject',
      )
    })

    it('brings back only what was expunged since the time and is not purged', async () => {
      const at = bench()
      for (let count = 0; count < 2; count++) await at.fill(1)
      const inbox = await at.fill(1)
      await at.done([expunging(inbox, [1])])
      at.clock.advance(1_000)
      await at.store.purge({ beforeMs: at.clock.nowMs() })
      await at.done([expunging(inbox, [2])])
      at.clock.advance(1_000)
      const since = at.clock.nowMs()
      await at.done([expunging(inbox, [3])])
      assert.deepEqual(
        (await expunged()).map(({ uid }) => uid),
        [2, 3],
      )
      assert.deepEqual(
        (await expunged(since)).map(({ uid }) => uid),
        [3],
      )
      const [first] = await expunged()
      const page = { accountId: hanako, sinceMs: 0, limit: 1, after: first!.emailId }
      assert.deepEqual(
        (await at.store.expunged(page)).emails.map(({ uid }) => uid),
        [3],
      )
      assert.equal(await restore(['Ewrong' as EmailId]), 0)
    })

    it('may be brought to another mailbox', async () => {
      const at = bench()
      const inbox = await at.fill(1)
      await at.done([expunging(inbox, [1])])
      const emailIds = (await expunged()).map(({ emailId }) => emailId)
      const to = { path: ['戻したメール'], create: true }
      await at.done([{ kind: 'restore', emailIds, to }])
      assert.equal(await countIn(['戻したメール']), 1)
    })
  })
}
