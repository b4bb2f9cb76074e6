import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import { METAS_BYTES_MAX, storedMetas } from '#store/mailbox/meta-records.ts'
import type { Content } from '#store/blob/blobs.ts'
import { append, expunging, hanako, noMailbox, text, uidsOf } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import type { MailboxView } from '#store/mailbox/mailbox-view.ts'

/** view, read, metas, ids, and what is told. */
export function viewsContract(bench: () => Bench): void {
  describe('reading', () => {
    it('what is not there is undefined, and too much at once is refused', async () => {
      const at = bench()
      const inbox = await at.fill(1)
      const ask = { accountId: hanako, mailboxId: inbox }
      assert.deepEqual((await at.store.ids({ ...ask, uids: uidsOf(2) })).ids, [undefined])
      const piece = { uid: 2 as Uid, offset: 0, length: 1 }
      assert.equal((await at.store.read({ ...ask, ...piece })).octets, undefined)
      const elsewhere = { accountId: hanako, mailboxId: noMailbox }
      assert.equal(await at.store.view(elsewhere), undefined)
      assert.equal((await at.store.read({ ...elsewhere, ...piece })).octets, undefined)
      assert.deepEqual(
        await Array.fromAsync(storedMetas(at.store, { ...elsewhere, uids: uidsOf(1) })),
        [undefined],
      )
      const many = Array.from({ length: 1_001 }, (_, i) => i + 1)
      await assert.rejects(at.store.metas({ ...ask, uids: uidsOf(...many) }), (thrown) =>
        isFault(thrown, 'limit'),
      )
    })

    it('metas of mails of 10,000 parts come a few in an answer, in order, and are asked for again', async () => {
      const at = bench()
      const heavy = (n: number): Content =>
        text(
          `Subject: 部品${n}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(10_000)}`,
        )
      for (let n = 1; n <= 5; n++)
        await at.done([append(['INBOX'])], {
          contents: [n === 3 ? text('Subject: 部品3\r\n\r\n') : heavy(n)],
        })
      const ask = {
        accountId: hanako,
        mailboxId: await at.idOf('INBOX'),
        uids: uidsOf(9, 5, 3, 4, 2, 1, 8),
      }
      const answer = await at.store.metas(ask)
      assert.ok(answer.ends.length < ask.uids.length && answer.octets.length <= METAS_BYTES_MAX)
      const metas = await Array.fromAsync(storedMetas(at.store, ask))
      assert.deepEqual(
        metas.map((stored) => stored && toUtf8(fromLatin1(stored.meta.envelope.subject ?? ''))),
        [undefined, '部品5', '部品3', '部品4', '部品2', '部品1', undefined],
      )
    })

    it('changes are told after the commit, with the MODSEQ that a view then has', async () => {
      const at = bench()
      const inbox = await at.fill(2)
      const archive = await at.idOf('Archive')
      const before = at.changes.length
      await at.done([{ kind: 'move', from: inbox, uids: uidsOf(1), to: { id: archive } }])
      const told = at.changes.slice(before)
      assert.deepEqual(new Set(told.map(({ mailboxId }) => mailboxId)), new Set([inbox, archive]))
      for (const { mailboxId, highestModSeq } of told)
        assert.equal((await at.view(mailboxId)).mailbox.highestModSeq, highestModSeq)
    })

    it('an old view brought up to date is the whole view, whatever happened', async () => {
      const at = bench()
      const inbox = await at.idOf('INBOX')
      await fc.assert(
        fc.asyncProperty(fc.array(anyChange(inbox), { maxLength: 8 }), async (changes) => {
          const old = await at.view(inbox)
          for (const each of changes) await at.commit([each])
          const whole = await at.view(inbox)
          const fresh = await at.view(inbox, old.mailbox.highestModSeq)
          assert.deepEqual(brought(old, fresh), rows(whole))
          assertCounts(whole)
          assert.deepEqual(
            [...whole.uids],
            [...new Set(whole.uids)].toSorted((a, b) => a - b),
          )
          const top = Math.max(Number(old.mailbox.highestModSeq), ...whole.modSeqs)
          assert.ok(Number(whole.mailbox.highestModSeq) >= top)
        }),
        { numRuns: 60, seed: 11 },
      )
    })
  })
}

function anyChange(inbox: MailboxId): fc.Arbitrary<MailboxChange> {
  const uids = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 })
  return fc.oneof(
    fc.constantFrom(0, SEEN, DELETED).map((flags) => append(['INBOX'], { flags })),
    fc.record({
      kind: fc.constant('setFlags' as const),
      mailboxId: fc.constant(inbox),
      uids: uids as fc.Arbitrary<Uid[]>,
      mode: fc.constantFrom('add', 'remove', 'replace'),
      flags: fc.constantFrom(0, SEEN, DELETED, SEEN | DELETED),
      keywords: fc.constantFrom([], ['$Important']) as fc.Arbitrary<string[]>,
    }),
    fc.tuple(uids, fc.boolean()).map(([some, deletedOnly]) => expunging(inbox, some, deletedOnly)),
    fc.record({
      kind: fc.constantFrom('copy' as const, 'move' as const),
      from: fc.constant(inbox),
      uids: uids as fc.Arbitrary<Uid[]>,
      to: fc.constant({ path: ['INBOX'], create: false }),
    }),
  )
}

type Rows = Map<number, readonly [flags: number, modSeq: number]>

const rows = (view: MailboxView): Rows =>
  new Map(
    Array.from(view.uids, (uid, i) => [uid, [view.flags[i]!, view.modSeqs[i]!] as const] as const),
  )

function brought(old: MailboxView, fresh: MailboxView): Rows {
  const all = rows(old)
  for (const uid of fresh.vanished) all.delete(uid)
  for (const [uid, row] of rows(fresh)) all.set(uid, row)
  return new Map([...all].toSorted(([a], [b]) => a - b))
}

function assertCounts({ mailbox, flags, sizes }: MailboxView): void {
  assert.equal(mailbox.messages, flags.length)
  assert.equal(mailbox.unseen, flags.filter((each) => (each & SEEN) === 0).length)
  assert.equal(mailbox.deleted, flags.filter((each) => (each & DELETED) !== 0).length)
  assert.equal(
    mailbox.sizeBytes,
    sizes.reduce((sum, size) => sum + size, 0),
  )
}
