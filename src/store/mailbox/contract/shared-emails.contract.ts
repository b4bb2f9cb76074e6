import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AccountId } from '#model/account.ts'
import { parseRights } from '#model/acl.ts'
import { SEEN } from '#model/mailbox.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { append, expunging, hanako, taro, uidsOf } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'

const by = { accountId: hanako, by: taro }

const grant = (mailboxId: MailboxId, rights: string, who = taro): MailboxChange => ({
  kind: 'grant',
  mailboxId,
  who,
  mode: 'replace',
  rights: parseRights(rights)!,
})

const seen = (mailboxId: MailboxId, uid: number): MailboxChange => ({
  kind: 'setFlags',
  mailboxId,
  uids: uidsOf(uid),
  mode: 'add',
  flags: SEEN,
  keywords: [],
})

/** Emails of an account as somebody beside its owner has them (RFC 8620 §1.6.2). */
export function sharedEmailsContract(bench: () => Bench): void {
  /** Two mailboxes of hanako's, the first shared; an email in each, and one in both. */
  const two = async () => {
    const at = bench()
    await at.done([
      { kind: 'create', path: ['会議'] },
      { kind: 'create', path: ['内密'] },
    ])
    const [open, secret] = [await at.idOf('会議'), await at.idOf('内密')]
    const [a] = await at.done([append(['会議'])])
    const [b] = await at.done([append(['内密'])])
    const [both] = await at.done([append(['内密'])])
    assert.ok(a?.kind === 'append' && b?.kind === 'append' && both?.kind === 'append')
    await at.done([
      { kind: 'copy', from: secret, uids: [both.uid], to: { id: open } },
      grant(open, 'lrs'),
    ])
    return { at, open, secret, a, b, both }
  }

  describe('emails that others share', () => {
    it('are seen where their owner lets them be, and nowhere else', async () => {
      const { at, open, a, b, both } = await two()
      const ids = [a.emailId, b.emailId, both.emailId]
      const { emails } = await at.store.emails({ ...by, emailIds: ids })
      assert.deepEqual(
        emails.map((email) => email?.places.map(({ mailboxId }) => mailboxId)),
        [[open], undefined, [open]],
      )
      const { threads } = await at.store.threads({ ...by, threadIds: [a.threadId, b.threadId] })
      assert.deepEqual(threads, [[a.emailId], undefined])
      await at.done([grant(open, 'r')])
      assert.deepEqual((await at.store.emails({ ...by, emailIds: ids })).emails, [
        undefined,
        undefined,
        undefined,
      ])
      const jiro = { accountId: hanako, by: 'jiro' as AccountId }
      assert.deepEqual((await at.store.emails({ ...jiro, emailIds: ids.slice(0, 1) })).emails, [
        undefined,
      ])
      const none = { accountId: 'nobody' as AccountId, by: taro, emailIds: [] }
      await assert.rejects(at.store.emails(none), { code: 'notFound' })
    })

    it('are read by each for themselves', async () => {
      const { at, open, a } = await two()
      const flagsOf = async (ask: object) =>
        (await at.store.emails({ accountId: hanako, ...ask, emailIds: [a.emailId] })).emails[0]!
          .places[0]!.flags
      await at.done([seen(open, a.uid)], { by: taro })
      assert.deepEqual([await flagsOf({ by: taro }), await flagsOf({})], [SEEN, 0])
      await at.done([seen(open, a.uid)])
      await at.done([{ ...seen(open, a.uid), mode: 'remove' } as MailboxChange], { by: taro })
      assert.deepEqual([await flagsOf({ by: taro }), await flagsOf({})], [0, SEEN])
    })

    it('tell what came, changed and went there; begin anew where mailboxes or rights changed', async () => {
      const { at, open, secret, a, both } = await two()
      const since = (await at.store.emails({ ...by, emailIds: [] })).state
      const changed = async () =>
        (await at.store.emailChanges({ ...by, since, limit: 10 }))?.changes.map(
          ({ emailId, isNew, isGone }) => [emailId, isNew, isGone],
        )
      assert.deepEqual(await changed(), [])
      await at.done([append(['内密'])])
      assert.deepEqual(await changed(), [], 'what happens elsewhere is not told')
      const [fresh] = await at.done([append(['会議'])])
      assert.ok(fresh?.kind === 'append')
      await at.done([seen(open, a.uid)], { by: taro })
      await at.done([{ kind: 'move', from: open, uids: uidsOf(2), to: { id: secret } }])
      assert.deepEqual(await changed(), [
        [fresh.emailId, true, false],
        [a.emailId, false, false],
        [both.emailId, false, true],
      ])
      const mailboxes = async () => (await at.store.mailboxChanges({ ...by, since }))?.changes
      assert.deepEqual(
        (await mailboxes())?.map(({ mailboxId }) => mailboxId),
        [open],
      )
      await at.done([grant(secret, 'lr')])
      assert.deepEqual([await changed(), await mailboxes()], [undefined, undefined])
      const later = (await at.store.emails({ ...by, emailIds: [] })).state
      await at.done([{ kind: 'delete', mailboxId: secret }])
      assert.equal(
        await at.store.emailChanges({ ...by, since: later, limit: 10 }),
        undefined,
        'nobody knows any more who had seen it',
      )
    })

    it('whose rights changed is told', async () => {
      const { at, open } = await two()
      const told = at.changes.length
      const since = () => at.changes.slice(told).flatMap(({ rights }) => rights ?? [])
      await at.done([append(['会議']), seen(open, 1)])
      assert.deepEqual(since(), [])
      await at.done([grant(open, 'lr', 'jiro' as AccountId)])
      assert.deepEqual(since(), ['jiro'])
      await at.done([expunging(open, 'all'), { kind: 'delete', mailboxId: open }])
      assert.deepEqual(new Set(since()), new Set(['jiro', taro]))
    })

    it('are copied into another account with flags and times of their own, once a commit', async () => {
      const { at, open, a } = await two()
      const to = async (name: string) => (await at.row([name], taro)).id
      const as = { flags: SEEN, keywords: ['$important'], internalDateMs: 5_000 }
      const copy = (id: MailboxId): MailboxChange => ({
        kind: 'copy',
        from: open,
        fromAccount: hanako,
        uids: [a.uid],
        to: { id },
        as,
      })
      const results = await at.done([copy(await to('INBOX')), copy(await to('Archive'))], {
        accountId: taro,
      })
      const ids = results.map((result) => (result.kind === 'copy' ? result.emails : undefined))
      assert.deepEqual(ids[0], ids[1], 'one email in two mailboxes')
      const [email] = (await at.store.emails({ accountId: taro, emailIds: [ids[0]![0]!.emailId] }))
        .emails
      assert.deepEqual(
        email!.places.map(({ flags, keywords, internalDateMs }) => ({
          flags,
          keywords,
          internalDateMs,
        })),
        [as, as],
      )
      assert.equal(email!.threadId, ids[0]![0]!.threadId)
    })
  })
}
