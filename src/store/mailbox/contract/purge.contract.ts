import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import { SEEN } from '#model/mailbox.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, ModSeq, Uid } from '#model/mailbox.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { append, expunging, hanako, taro, text, uidsOf } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'

const BODY = 'Subject: 会議\r\n\r\n本文'

/** purge. */
export function purgeContract(bench: () => Bench): void {
  const octetsOf = async (mailboxId: MailboxId, uid: number): Promise<string | undefined> => {
    const ask = { accountId: hanako, mailboxId, uid: uid as Uid, offset: 0, length: 1_000_000 }
    const { octets } = await bench().store.read(ask)
    return octets && toUtf8(octets)
  }
  /** Purges what was expunged until now. */
  const purge = async (): Promise<number> => {
    const { clock, store } = bench()
    clock.advance(1)
    return (await store.purge({ beforeMs: clock.nowMs() })).rows
  }

  describe('purge', () => {
    it('deletes what was expunged before the time, and nothing else', async () => {
      const at = bench()
      const inbox = await at.fill(4)
      await at.done([expunging(inbox, [1, 2])])
      at.clock.advance(1_000)
      const beforeMs = at.clock.nowMs()
      await at.done([expunging(inbox, [3])])
      assert.deepEqual(await at.store.purge({ beforeMs }), { rows: 2 })
      assert.deepEqual(await at.store.purge({ beforeMs }), { rows: 0 })
      assert.deepEqual(await at.ids(inbox, 1, 2), [undefined, undefined])
      assert.deepEqual([await octetsOf(inbox, 1), await octetsOf(inbox, 2)], [undefined, undefined])
      assert.deepEqual([await octetsOf(inbox, 3), await octetsOf(inbox, 4)], [BODY, BODY])
      const metas = await Array.fromAsync(
        storedMetas(at.store, {
          accountId: hanako,
          mailboxId: inbox,
          uids: uidsOf(1, 3),
        }),
      )
      assert.deepEqual(
        metas.map((found) => found?.meta.sizeBytes),
        [undefined, Buffer.byteLength(BODY)],
      )
    })

    it('an old view is still brought up to date; what changed stays told (RFC 7162 §3.2.7)', async () => {
      const at = bench()
      const inbox = await at.fill(6)
      const old = (await at.view(inbox)).mailbox.highestModSeq
      await at.done([expunging(inbox, [2, 4])])
      const flag = { kind: 'setFlags', mailboxId: inbox, mode: 'add', keywords: [] } as const
      await at.done([{ ...flag, uids: uidsOf(5), flags: SEEN }])
      const now = (await at.view(inbox)).mailbox.highestModSeq
      assert.equal(await purge(), 2)
      const { mailbox, uids, vanished } = await at.view(inbox, old)
      assert.deepEqual([[...uids], [...vanished]], [[5], [2, 4]])
      assert.deepEqual([mailbox.highestModSeq, mailbox.uidNext, mailbox.messages], [now, 7, 4])
      const fresh = await at.view(inbox, now)
      assert.deepEqual([fresh.uids.length, fresh.vanished.length], [0, 0])
    })

    it('changes of emails are told from after it only (RFC 8620 §5.2)', async () => {
      const at = bench()
      const state = async () => (await at.store.mailboxes({ accountId: hanako })).state
      const told = async (since: Awaited<ReturnType<typeof state>>) =>
        (await at.store.emailChanges({ accountId: hanako, since, limit: 10 }))?.changes.length
      const inbox = await at.fill(2)
      await at.done([append(['過去'], { mailbox: { path: ['過去'], create: true } })])
      for (const change of [
        expunging(inbox, [1]),
        { kind: 'delete', mailboxId: await at.idOf('過去') } as const,
      ]) {
        const before = await state()
        await at.done([change])
        const now = await state()
        assert.deepEqual([await told(before), await told(now)], [1, 0])
        assert.equal(await purge(), 1)
        assert.deepEqual([await told(before), await told(now)], [undefined, 0])
      }
    })

    it('a UID that was given never comes again, nor by import', async () => {
      const at = bench()
      const path = ['移行']
      await at.done([
        append(path, { mailbox: { path, create: true }, assigned: { uid: 40 as Uid } }),
      ])
      const id = await at.idOf(...path)
      await at.done([expunging(id, 'all')])
      assert.equal(await purge(), 1)
      for (const uid of [1, 39, 40])
        assert.equal(
          await at.refused([append(path, { assigned: { uid: uid as Uid } })]),
          'conflict',
          String(uid),
        )
      assert.equal((await at.one('append', append(path))).uid, 41)
    })

    it('copies, replies in the outbox and later readers keep their octets', async () => {
      const at = bench()
      const body = '大'.repeat(100_000)
      const entry = {
        id: 'D1:r',
        kind: 'redirect',
        reversePath: null,
        recipients: [{ localpart: '太郎', domain: 'b.example' }],
        body: '8bitmime',
        smtpUtf8: true,
        content: 1,
      } as const
      const contents = [text(body), { octets: [fromUtf8(body), fromUtf8('外')] }]
      await at.done([append(['INBOX']), append(['INBOX'], { content: 1 })], {
        contents,
        outbox: [entry],
        deliveryId: 'D1',
      })
      const inbox = await at.idOf('INBOX')
      const copy = { from: inbox, uids: uidsOf(1), to: { path: ['控え'], create: true } }
      const { mailboxId, targets } = await at.one('copy', { kind: 'copy', ...copy })
      await at.done([expunging(inbox, 'all')])
      assert.equal(await purge(), 2)
      assert.equal(await octetsOf(inbox, 1), undefined)
      assert.equal(await octetsOf(mailboxId, targets[0]!), body)
      const piece = { id: 'D1:r', offset: 0, length: 1_000_000 }
      assert.equal(toUtf8((await at.store.readOutbox(piece)).octets), `${body}外`)
      assert.equal((await at.commit([append(['INBOX'])], { deliveryId: 'D1' })).kind, 'duplicate')
      await at.done([expunging(mailboxId, 'all')])
      assert.equal(await purge(), 1)
      assert.equal(await octetsOf(mailboxId, targets[0]!), undefined)
    })

    it('waits for a session that still reads what was expunged', async () => {
      const at = bench()
      const inbox = await at.fill(2)
      await at.done([append(['Archive'])])
      const archive = await at.idOf('Archive')
      await at.done([expunging(inbox, 'all'), expunging(archive, 'all')])
      assert.equal(await octetsOf(inbox, 1), BODY)
      assert.equal(await purge(), 1, 'of the archive only')
      assert.equal(await octetsOf(inbox, 2), BODY)
      at.clock.advance(DAY_MS / 2)
      const ask = { accountId: hanako, mailboxId: inbox, uids: uidsOf(1) }
      await at.store.metas(ask)
      at.clock.advance(DAY_MS - 10)
      assert.equal(await purge(), 0)
      await at.store.ids(ask)
      at.clock.advance(DAY_MS + 1)
      assert.equal(await purge(), 2)
      assert.equal(await octetsOf(inbox, 1), undefined)
    })

    it('waits for nobody who reads what lies around it', async () => {
      const at = bench()
      const inbox = await at.fill(3)
      await at.done([expunging(inbox, [2])])
      await at.store.ids({ accountId: hanako, mailboxId: inbox, uids: uidsOf(1, 3) })
      assert.equal(await purge(), 1)
    })

    it('takes an account that is no more, in many steps, unless it comes back', async () => {
      const at = bench()
      const inbox = await at.fill(3)
      await at.done(Array.from({ length: 700 }, () => append(['INBOX'])))
      const body = text('大'.repeat(100_000))
      await at.done([append(['INBOX'])], { contents: [body] })
      await at.done([expunging(inbox, [1, 2])])
      await at.done([append(['INBOX'])], { accountId: taro, contents: [body] })
      const keep = (accountIds: AccountId[], removedIds: AccountId[]) =>
        at.store.keepAccounts({ accountIds, removedIds })
      assert.deepEqual(await keep([hanako, taro], []), { removed: 0, unknown: 0 })
      assert.deepEqual(await keep([taro], [hanako]), { removed: 1, unknown: 0 })
      at.clock.advance(1)
      assert.deepEqual(await keep([taro, hanako], [hanako]), { removed: 0, unknown: 0 }, 'back')
      assert.equal(await purge(), 2, 'what it had expunged')
      assert.deepEqual(await keep([taro], [hanako]), { removed: 1, unknown: 0 })
      at.clock.advance(1)
      assert.deepEqual(await keep([], []), { removed: 0, unknown: 2 }, 'nothing is known of it')
      assert.equal(await purge(), 0)
      assert.deepEqual(await keep([taro], [hanako]), { removed: 1, unknown: 0 })
      assert.deepEqual(await at.store.purge({ beforeMs: at.clock.nowMs() }), { rows: 0 })
      const rows = purge()
      await at.done([append(['INBOX'])], { accountId: taro })
      assert.equal(await rows, 702)
      const { accounts, messages } = await at.store.status()
      assert.deepEqual([accounts, messages], [1, 2])
      assert.equal((await at.row(['INBOX'], taro)).messages, 2)
      // Whoever has that id now has nothing of the old one.
      assert.equal(await octetsOf(inbox, 3), undefined)
      assert.equal((await at.row(['INBOX'])).messages, 0)
      assert.notEqual((await at.row(['INBOX'])).id, inbox)
    })

    it('takes a deleted mailbox as well, in many steps, while others go on', async () => {
      const at = bench()
      const many = 1_203
      await at.done([
        { kind: 'create', path: ['過去'] },
        ...Array.from({ length: many }, () => append(['過去'])),
        append(['INBOX']),
      ])
      const id = await at.idOf('過去')
      await at.done([{ kind: 'delete', mailboxId: id }])
      const [rows] = await Promise.all([purge(), at.fill(20)])
      assert.equal(rows, many)
      assert.equal(await octetsOf(id, 1), undefined)
      const inbox = await at.idOf('INBOX')
      assert.equal((await at.view(inbox)).uids.length, 21)
      assert.equal(await octetsOf(inbox, 1), BODY)
      assert.equal((await at.view(inbox, 1n as ModSeq)).vanished.length, 0)
    })
  })
}
