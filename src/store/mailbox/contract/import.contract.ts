import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SEEN } from '#model/mailbox.ts'
import type { MailboxId, ModSeq, Uid, UidValidity } from '#model/mailbox.ts'
import { append, text } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'

const UID_MAX = 2 ** 32 - 1

const number = (mailboxId: MailboxId, uidValidity: number, uidNext: number): MailboxChange => ({
  kind: 'number',
  mailboxId,
  uidValidity: uidValidity as UidValidity,
  uidNext: uidNext as Uid,
})

const importing = (
  path: readonly string[],
  uid: number,
  more: { readonly modSeq?: ModSeq; readonly uidl?: string } = {},
) => append(path, { assigned: { uid: uid as Uid, ...more } })

/** Mailboxes and messages that bring their own numbers. */
export function importContract(bench: () => Bench): void {
  describe('import', () => {
    it('keeps UIDVALIDITY, UIDs, UIDNEXT, UIDL, MODSEQ, dates, flags and octets', async () => {
      const at = bench()
      await at.done([{ kind: 'create', path: ['移行', '受信'] }])
      const path = ['移行', '受信']
      const id = await at.idOf(...path)
      const { highestModSeq } = await at.row(path)
      const modSeq = (highestModSeq + 1_000n) as ModSeq
      const { mailbox } = await at.one('mailbox', number(id, 77, 5_000))
      assert.deepEqual([mailbox.uidValidity, mailbox.uidNext], [77, 5_000])
      await at.done(
        [
          {
            ...importing(path, 10, { modSeq, uidl: 'old-10' }),
            flags: SEEN,
            keywords: ['$Important'],
            internalDateMs: 946_684_800_000,
          },
          { ...importing(path, 4_000), content: 1 },
        ],
        { contents: [text('一通目'), text('二通目')] },
      )
      const view = await at.view(id)
      assert.deepEqual([...view.uids], [10, 4_000])
      assert.deepEqual([...view.flags], [SEEN | 32, 0])
      assert.equal(view.internalDatesMs[0], 946_684_800_000)
      // Retention counts from the move, whatever the old server's dates say.
      assert.equal(view.savedAtMs[0], at.clock.nowMs())
      assert.equal(view.modSeqs[0], Number(modSeq))
      assert.ok(view.modSeqs[1]! > Number(modSeq))
      assert.ok(view.mailbox.highestModSeq >= BigInt(view.modSeqs[1]!))
      const [ten, four] = await at.ids(id, 10, 4_000)
      assert.equal(ten?.uidl, 'old-10')
      assert.match(four?.uidl ?? '', /^[\x21-\x7e]{1,70}$/, 'RFC 1939 §7')
      assert.equal(await at.read(id, 10), '一通目')
      assert.equal((await at.one('append', append(path))).uid, 5_000)
    })

    it('a UIDL moves along with its message, and is not copied', async () => {
      const at = bench()
      await at.done([importing(['INBOX'], 3, { uidl: 'u3' }), importing(['INBOX'], 4)])
      const from = await at.idOf('INBOX')
      const to = { id: await at.idOf('Archive') }
      const uids = [3 as Uid]
      await at.done([
        { kind: 'copy', from, uids, to },
        { kind: 'move', from, uids, to },
      ])
      const uidls = (await at.ids(to.id, 1, 2)).map((ids) => ids?.uidl)
      assert.equal(uidls[1], 'u3')
      assert.notEqual(uidls[0], 'u3')
    })

    it('refuses a UIDL that POP3 cannot say, that another message has, or could still get', async () => {
      const at = bench()
      await at.done([importing(['INBOX'], 3, { uidl: 'u3' }), importing(['INBOX'], 4)])
      const inbox = await at.idOf('INBOX')
      const [, made] = await at.ids(inbox, 3, 4)
      const own = made!.uidl
      assert.match(own, /4$/)
      for (const uidl of ['', '古い', 'a b', 'a'.repeat(71), 'u3', own, own.replace(/4$/, '9')])
        assert.equal(await at.refused([importing(['Archive'], 1, { uidl })]), 'conflict', uidl)
      const twice = { uidl: 'u8' }
      assert.equal(
        await at.refused([importing(['INBOX'], 8, twice), importing(['Archive'], 8, twice)]),
        'conflict',
      )
      const mailboxLater = own.replace(/^(.*).\.4$/, '$1z.1')
      assert.equal(
        await at.refused([importing(['INBOX'], 8, { uidl: mailboxLater })]),
        'conflict',
        mailboxLater,
      )
      // Names itself, what has gone, or what another account of ours would have said.
      await at.done([
        importing(['INBOX'], 9, { uidl: own.replace(/4$/, '9') }),
        { kind: 'expunge', mailboxId: inbox, uids: [3 as Uid, 4 as Uid], deletedOnly: false },
        importing(['Archive'], 3, { uidl: 'u3' }),
        importing(['Archive'], 4, { uidl: own }),
        importing(['Archive'], 5, { uidl: 'OTHERTAG1.1' }),
      ])
      const archive = await at.ids(await at.idOf('Archive'), 3, 4, 5)
      assert.deepEqual(
        archive.map((ids) => ids?.uidl),
        ['u3', own, 'OTHERTAG1.1'],
      )
    })

    it('refuses numbers that are taken, would go down, or are none', async () => {
      const at = bench()
      const inbox = await at.idOf('INBOX')
      await at.done([number(inbox, 77, 5_000), importing(['INBOX'], 10)])
      for (const uid of [10, 9, 0, -1, 1.5, UID_MAX + 1, Number.NaN])
        assert.equal(await at.refused([importing(['INBOX'], uid)]), 'conflict', String(uid))
      await at.done([
        importing(['INBOX'], 20),
        { kind: 'expunge', mailboxId: inbox, uids: 'all', deletedOnly: false },
      ])
      assert.equal(await at.refused([importing(['INBOX'], 20)]), 'conflict', 'was expunged')
      for (const [uidValidity, uidNext] of [
        [78, 6_000],
        [77, 4_999],
        [0, 6_000],
        [UID_MAX + 1, 6_000],
        [77, 0],
        [77, 2 ** 33],
      ] as const)
        assert.equal(await at.refused([number(inbox, uidValidity, uidNext)]), 'conflict')
      const far = { modSeq: (2n ** 52n) as ModSeq }
      assert.equal(await at.refused([importing(['INBOX'], 30, far)]), 'conflict')
      assert.equal(
        await at.refused([importing(['INBOX'], 30, { modSeq: 0n as ModSeq })]),
        'conflict',
      )
      await at.done([number(inbox, 77, 6_000)])
      assert.equal((await at.row(['INBOX'])).uidNext, 6_000)
    })

    it('ends with the last UID that there is', async () => {
      const at = bench()
      await at.done([importing(['INBOX'], UID_MAX)])
      assert.equal(await at.refused([append(['INBOX'])]), 'limit')
      const from = await at.idOf('Archive')
      await at.done([append(['Archive'])])
      const copy = { kind: 'copy', from, uids: [1 as Uid], to: { path: ['INBOX'], create: false } }
      assert.equal(await at.refused([copy as MailboxChange]), 'limit')
    })

    it('new mailboxes have a UIDVALIDITY above all that were brought along', async () => {
      const at = bench()
      await at.done([number(await at.idOf('INBOX'), 4_000_000_000, 1)])
      const { mailbox } = await at.one('mailbox', { kind: 'create', path: ['後から'] })
      assert.ok(mailbox.uidValidity > 4_000_000_000)
    })

    it('a MODSEQ older than what readers have seen is kept, and they are shown the row', async () => {
      const at = bench()
      const inbox = await at.fill(2)
      const seen = (await at.view(inbox)).mailbox.highestModSeq
      await at.done([importing(['INBOX'], 9, { modSeq: 5n as ModSeq })])
      const fresh = await at.view(inbox, seen)
      assert.ok([...fresh.uids].includes(9))
      assert.equal((await at.view(inbox)).modSeqs[2], 5)
      assert.ok(fresh.mailbox.highestModSeq > seen)
      const now = await at.view(inbox, fresh.mailbox.highestModSeq)
      assert.equal(now.uids.length, 0)
    })
  })
}
