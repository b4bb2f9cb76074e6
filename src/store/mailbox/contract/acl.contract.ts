import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AccountId } from '#model/account.ts'
import { parseRights } from '#model/acl.ts'
import type { Grantee } from '#model/acl.ts'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { MailboxId, MailboxPath } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { annotationId } from '#store/mailbox/kept-object.ts'
import { append, expunging, hanako, taro, text, uidsOf } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'

const jiro = 'jiro' as AccountId
const FLAGGED = 4

const grant = (
  mailboxId: MailboxId,
  rights: string,
  who: Grantee = taro,
  mode: 'add' | 'remove' | 'replace' = 'replace',
): MailboxChange => ({ kind: 'grant', mailboxId, who, mode, rights: parseRights(rights)! })

const flags = (
  mailboxId: MailboxId,
  uids: readonly number[],
  bits: number,
  mode: 'add' | 'remove' | 'replace' = 'add',
  keywords: readonly string[] = [],
): MailboxChange => ({
  kind: 'setFlags',
  mailboxId,
  uids: uidsOf(...uids),
  mode,
  flags: bits,
  keywords,
})

const noting = (id: string) =>
  ({ kind: 'keep', object: 'Annotation', id, value: { text: '会議室' } }) satisfies MailboxChange

/** Rights of others (RFC 4314), and what each of them has read. */
export function aclContract(bench: () => Bench): void {
  const rowFor = async (by: AccountId, path: MailboxPath) => {
    const { mailboxes } = await bench().store.mailboxes({ accountId: hanako, by })
    return mailboxes.find((row) => row.path.join('/') === path.join('/'))
  }
  const viewFor = async (by: AccountId, mailboxId: MailboxId, since?: bigint) =>
    bench().store.view({
      accountId: hanako,
      mailboxId,
      by,
      ...(since !== undefined && { since: since as never }),
    })
  const flagsFor = async (by: AccountId, mailboxId: MailboxId) => [
    ...(await viewFor(by, mailboxId))!.flags,
  ]
  /** A mailbox of hanako's with so many messages. */
  const shared = async (rights: string, count = 3): Promise<MailboxId> => {
    const at = bench()
    await at.done([{ kind: 'create', path: ['会議'] }])
    await at.done(Array.from({ length: count }, () => append(['会議'])))
    const id = await at.idOf('会議')
    if (rights !== '') await at.done([grant(id, rights)])
    return id
  }

  describe('rights of others', () => {
    it('are none at first: nothing is seen, read or changed, and nothing told of it', async () => {
      const at = bench()
      const id = await shared('')
      const ask = { accountId: hanako, mailboxId: id, by: taro }
      assert.deepEqual((await at.store.mailboxes({ accountId: hanako, by: taro })).mailboxes, [])
      assert.deepEqual((await at.store.sharedWith({ by: taro })).owners, [])
      assert.equal(await at.store.view(ask), undefined)
      assert.equal((await at.store.acl(ask)).entries, undefined)
      assert.equal(
        (await at.store.read({ ...ask, uid: uidsOf(1)[0]!, offset: 0, length: 10 })).octets,
        undefined,
      )
      assert.deepEqual((await at.store.ids({ ...ask, uids: uidsOf(1) })).ids, [undefined])
      assert.deepEqual([...(await at.store.metas({ ...ask, uids: uidsOf(1) })).ends], [0])
      assert.equal((await at.store.emailNumbers({ ...ask, aboveUid: 0 })).uids.length, 0)
      assert.equal((await at.store.deletedBytes(ask)).bytes, 0)
      for (const change of [
        append(['会議']),
        flags(id, [1], SEEN),
        expunging(id, [1], true),
        { kind: 'copy', from: id, uids: uidsOf(1), to: { id } },
        { kind: 'rename', mailboxId: id, path: ['x'] },
        { kind: 'delete', mailboxId: id },
        grant(id, 'lr'),
      ] satisfies MailboxChange[])
        assert.equal(await at.refused([change], { by: taro }), 'noMailbox', change.kind)
      assert.equal(
        await at.refused([append(['INBOX'])], { by: taro, accountId: jiro }),
        'noMailbox',
      )
      assert.equal((await viewFor(hanako, id))!.uids.length, 3)
    })

    it('are granted, added to and taken away; everybody and exceptions too', async () => {
      const at = bench()
      const id = await shared('lr')
      const told = at.changes.length
      await at.done([grant(id, 's', taro, 'add'), grant(id, 'lrsi', 'anyone')])
      assert.ok(
        at.changes.slice(told).some(({ mailboxId }) => mailboxId === id),
        'readers are told',
      )
      await at.done([grant(id, 'l', taro, 'remove'), grant(id, 'i', '-taro')])
      const { entries } = await at.store.acl({ accountId: hanako, mailboxId: id })
      assert.deepEqual(entries, [
        { who: '-taro', rights: 'i' },
        { who: 'anyone', rights: 'lrsi' },
        { who: 'taro', rights: 'rs' },
      ])
      assert.equal((await rowFor(taro, ['会議']))?.rights, 'lrs')
      assert.equal((await rowFor(jiro, ['会議']))?.rights, 'lrsi')
      const { owners } = await at.store.sharedWith({ by: jiro })
      assert.deepEqual(
        owners.map(({ accountId, mailboxes }) => [accountId, mailboxes.map(({ path }) => path)]),
        [[hanako, [['会議']]]],
      )
      assert.deepEqual((await at.store.sharedWith({ by: hanako })).owners, [])
      await at.done([grant(id, '', 'anyone'), grant(id, 'lrs', taro, 'remove')])
      assert.equal(await rowFor(taro, ['会議']), undefined)
    })

    it('let one do each what it names, and say so of the rest (RFC 4314 §4)', async () => {
      const at = bench()
      const id = await shared('l')
      const needs: readonly (readonly [string, () => MailboxChange])[] = [
        ['i', () => append(['会議'])],
        ['s', () => flags(id, [1], SEEN)],
        ['t', () => flags(id, [1], DELETED)],
        ['w', () => flags(id, [1], FLAGGED)],
        ['w', () => flags(id, [1], 0, 'add', ['$Label1'])],
        ['e', () => expunging(id, [3], true)],
        ['te', () => expunging(id, [3])],
        ['ri', () => ({ kind: 'copy', from: id, uids: uidsOf(1), to: { id } })],
        ['rtei', () => ({ kind: 'move', from: id, uids: uidsOf(2), to: { id } })],
        ['k', () => ({ kind: 'create', path: ['会議', `議事録${at.changes.length}`] })],
        ['a', () => grant(id, 'lr', jiro)],
        ['w', () => noting(annotationId(id, '/shared/comment'))],
        [
          'w',
          () => ({
            kind: 'forget',
            object: 'Annotation',
            id: annotationId(id, '/shared/comment'),
          }),
        ],
        ['xk', () => ({ kind: 'rename', mailboxId: id, path: ['会議', 'x'] })],
        ['x', () => ({ kind: 'delete', mailboxId: id })],
      ]
      for (const [rights, change] of needs) {
        for (const lacking of rights) {
          await at.done([grant(id, `l${rights.replace(lacking, '')}`)])
          assert.equal(await at.refused([change()], { by: taro }), 'noPermission', rights)
        }
        await at.done([grant(id, `l${rights}`)])
        const result = await at.commit([change()], { by: taro })
        // What rights allow may be refused for another reason.
        if (result.kind === 'refused') assert.equal(result.refusal.code, 'badName')
      }
      assert.equal(await rowFor(taro, ['会議']), undefined, 'deleted')
    })

    it('never reach what is the owner’s alone', async () => {
      const at = bench()
      const id = await shared('lrswikxtea')
      for (const change of [
        { kind: 'retain', mailboxId: id, retention: 1 },
        { kind: 'create', path: ['別'] },
        { kind: 'rename', mailboxId: id, path: ['別'] },
        { kind: 'describe', mailboxId: id, sortOrder: 1 },
        { kind: 'restore', emailIds: [] },
        noting('x'),
        noting(annotationId(id, '/private/comment')),
        noting(annotationId(undefined, '/shared/comment')),
        { ...noting(annotationId(id, '/shared/comment')), object: 'Identity' },
      ] satisfies MailboxChange[])
        assert.equal(await at.refused([change], { by: taro }), 'noPermission', change.kind)
      const row = await rowFor(taro, ['会議'])
      assert.deepEqual([row?.subscribed, row?.use], [false, undefined])
    })

    it('let whoever may look one up subscribe to it, for themselves alone', async () => {
      const at = bench()
      const id = await shared('l')
      const subscribing = (on: boolean) => ({ kind: 'subscribe', path: ['会議'], on }) as const
      const { state } = await at.store.mailboxes({ accountId: hanako })
      const since = { modSeq: state.modSeq, nextMailbox: state.nextMailbox }
      for (const on of [true, true, false]) {
        await at.done([subscribing(on)], { by: taro })
        assert.equal((await rowFor(taro, ['会議']))?.subscribed, on)
        const { subscriptions } = await at.store.mailboxes({ accountId: taro })
        assert.equal(
          subscriptions.some((path) => path.join('/') === `Other Users/${hanako}/会議`),
          on,
        )
      }
      assert.ok(!(await at.subscriptions()).includes('会議'))
      const changed = await at.store.mailboxChanges({ accountId: hanako, by: taro, since })
      assert.deepEqual(
        changed?.changes.map(({ mailboxId, isNew, isGone }) => [mailboxId, isNew, isGone]),
        [[id, false, false]],
      )
      assert.equal(await at.refused([subscribing(true)], { by: jiro }), 'noMailbox')
    })

    it('go to mailboxes that are made below, and stay with one that is renamed', async () => {
      const at = bench()
      const id = await shared('lrk')
      await at.done([{ kind: 'create', path: ['会議', '２０２６', '四月'] }], { by: taro })
      assert.equal((await rowFor(taro, ['会議', '２０２６', '四月']))?.rights, 'lrk')
      await at.done([{ kind: 'rename', mailboxId: id, path: ['打合せ'] }])
      assert.equal((await rowFor(taro, ['打合せ']))?.rights, 'lrk')
      await at.done([{ kind: 'create', path: ['会議'] }])
      assert.equal(await rowFor(taro, ['会議']), undefined)
      await at.done([{ kind: 'delete', mailboxId: id }])
      await at.done([{ kind: 'create', path: ['打合せ'] }])
      assert.equal(await rowFor(taro, ['打合せ']), undefined, 'a new mailbox of the same name')
      assert.deepEqual(
        (await at.store.sharedWith({ by: taro })).owners.flatMap(({ mailboxes }) =>
          mailboxes.map(({ path }) => path.join('/')),
        ),
        ['打合せ/２０２６', '打合せ/２０２６/四月'],
      )
      for (const below of [
        ['打合せ', '２０２６', '四月'],
        ['打合せ', '２０２６'],
      ])
        await at.done([{ kind: 'delete', mailboxId: await at.idOf(...below) }])
      assert.deepEqual((await at.store.sharedWith({ by: taro })).owners, [])
    })

    it('without r tell no counts', async () => {
      await shared('l')
      const row = (await rowFor(taro, ['会議']))!
      assert.deepEqual([row.messages, row.unseen, row.sizeBytes], [0, 0, 0])
    })

    it('leave flags out that one may not set, and none of the others (RFC 4314 §4)', async () => {
      const at = bench()
      const id = await shared('lrsi', 1)
      await at.done([append(['会議'], { flags: SEEN | DELETED | FLAGGED, keywords: ['$x'] })], {
        by: taro,
      })
      assert.deepEqual(await flagsFor(taro, id), [0, SEEN])
      assert.deepEqual(await flagsFor(hanako, id), [0, 0])
      await at.done([flags(id, [1], SEEN | DELETED | FLAGGED)], { by: taro })
      assert.deepEqual(await flagsFor(taro, id), [SEEN, SEEN])
      await at.done([grant(id, 'w', taro, 'add')])
      await at.done([flags(id, [1], DELETED | FLAGGED, 'replace')], { by: taro })
      assert.deepEqual(await flagsFor(taro, id), [FLAGGED, SEEN])
      assert.deepEqual(await flagsFor(hanako, id), [FLAGGED, 0])
    })

    it('of accounts that are purged go with them', async () => {
      const at = bench()
      const id = await shared('lrs')
      await at.store.mailboxes({ accountId: taro })
      await at.done([flags(id, [1], SEEN)], { by: taro })
      await at.store.keepAccounts({ accountIds: [hanako], removedIds: [taro] })
      at.clock.advance(1_000)
      await at.store.purge({ beforeMs: at.clock.nowMs() })
      assert.deepEqual((await at.store.acl({ accountId: hanako, mailboxId: id })).entries, [])
    })
  })

  describe('what each has read', () => {
    it('is theirs alone, with a MODSEQ that tells their other programs', async () => {
      const at = bench()
      const id = await shared('lrs')
      await at.done([grant(id, 'lrs', jiro)])
      const before = (await viewFor(taro, id))!.mailbox.highestModSeq
      const done = await at.one('setFlags', flags(id, [1, 3], SEEN), { by: taro })
      assert.deepEqual([...done.updated], [1, 3])
      assert.ok(done.modSeq > before)
      const delta = (await viewFor(taro, id, before))!
      assert.deepEqual([...delta.uids], [1, 3])
      assert.deepEqual([...delta.flags], [SEEN, SEEN])
      assert.deepEqual(await flagsFor(jiro, id), [0, 0, 0])
      assert.deepEqual(await flagsFor(hanako, id), [0, 0, 0])
      await at.done([flags(id, [2], SEEN)])
      assert.deepEqual(await flagsFor(taro, id), [SEEN, 0, SEEN])
      assert.deepEqual(
        await Promise.all([taro, jiro].map(async (by) => (await rowFor(by, ['会議']))?.unseen)),
        [1, 3],
      )
      assert.equal((await at.row(['会議'])).unseen, 2)
      // Once more is no change; back again is one.
      const again = await at.one('setFlags', flags(id, [1, 2, 3], SEEN), { by: taro })
      assert.deepEqual([...again.updated], [2])
      const back = await at.one('setFlags', flags(id, [1, 2], SEEN, 'remove'), { by: taro })
      assert.deepEqual([...back.updated], [1, 2])
      assert.deepEqual(await flagsFor(taro, id), [0, 0, SEEN])
      const failed = await at.one(
        'setFlags',
        { ...flags(id, [3], SEEN, 'remove'), unchangedSince: before } as MailboxChange,
        { by: taro },
      )
      assert.deepEqual([[...failed.failed], [...failed.updated]], [[3], []])
    })

    it('is counted without what is expunged, and anew', async () => {
      const at = bench()
      const id = await shared('lrste')
      await at.done([flags(id, [1, 2, 3], SEEN)], { by: taro })
      await at.done([expunging(id, [2])])
      assert.equal((await rowFor(taro, ['会議']))?.unseen, 0)
      await at.done([append(['会議'])])
      assert.equal((await rowFor(taro, ['会議']))?.unseen, 1)
      await at.store.recount()
      assert.equal((await rowFor(taro, ['会議']))?.unseen, 1)
    })

    it('goes along with copies and moves, each with their own', async () => {
      const at = bench()
      const id = await shared('lrswite')
      await at.done([{ kind: 'create', path: ['記録'] }])
      const records = await at.idOf('記録')
      await at.done([grant(records, 'lrsi'), grant(records, 'lrs', jiro), grant(id, 'lrs', jiro)])
      await at.done([flags(id, [1], SEEN)], { by: taro })
      await at.done([flags(id, [2], SEEN)], { by: jiro })
      await at.done([flags(id, [3], SEEN)])
      await at.done(
        [
          { kind: 'copy', from: id, uids: uidsOf(1, 2), to: { id: records } },
          { kind: 'move', from: id, uids: uidsOf(3), to: { path: ['記録'], create: false } },
        ],
        { by: taro },
      )
      assert.deepEqual(await flagsFor(taro, records), [SEEN, 0, 0])
      assert.deepEqual(await flagsFor(jiro, records), [0, SEEN, 0])
      assert.deepEqual(await flagsFor(hanako, records), [0, 0, SEEN])
      const { unseen, deleted } = await at.row(['記録'])
      assert.deepEqual([unseen, deleted], [2, 0])
    })

    it('is kept flat in a large mailbox: UIDs far apart, by the thousand', async () => {
      const at = bench()
      const id = await shared('lrs', 5_000)
      const all = Array.from({ length: 5_000 }, (_, index) => index + 1)
      await at.done([flags(id, all, SEEN)], { by: taro })
      assert.equal((await rowFor(taro, ['会議']))?.unseen, 0)
      await at.done([flags(id, [4_095, 4_096, 4_097], SEEN, 'remove')], { by: taro })
      const own = await flagsFor(taro, id)
      assert.deepEqual(
        own.flatMap((bits, row) => (bits === 0 ? [row + 1] : [])),
        [4_095, 4_096, 4_097],
      )
      // The owner's view, which may stand in a file, is untouched by it.
      assert.deepEqual(new Set(await flagsFor(hanako, id)), new Set([0]))
    })
  })

  describe('copies between accounts', () => {
    const archive = async (): Promise<MailboxId> => (await bench().row(['Archive'], taro)).id

    it('share octets, keep flags, keywords and threads, and ask rights on both sides', async () => {
      const at = bench()
      const id = await shared('lrs', 0)
      const contents = [
        text('Message-ID: <a@x>\r\nSubject: 会議\r\n\r\n本文'),
        text('Message-ID: <b@x>\r\nReferences: <a@x>\r\nSubject: Re: 会議\r\n\r\n返事'),
      ]
      await at.done(
        [
          append(['会議'], { flags: FLAGGED, keywords: ['$Label1'] }),
          append(['会議'], { content: 1, flags: SEEN }),
        ],
        { contents },
      )
      await at.done([flags(id, [1], SEEN)], { by: taro })
      const to = await archive()
      const copy = {
        kind: 'copy',
        fromAccount: hanako,
        from: id,
        uids: uidsOf(1, 2, 9),
        to: { id: to },
      } as const
      const done = await at.one('copy', copy, { accountId: taro })
      assert.deepEqual(
        [[...done.sources], [...done.targets]],
        [
          [1, 2],
          [1, 2],
        ],
      )
      const view = (await at.store.view({ accountId: taro, mailboxId: to, emails: true }))!
      // What taro has read is taro's own flag now; what hanako has read is none of theirs.
      assert.deepEqual([...view.flags], [SEEN | FLAGGED | 32, 0])
      assert.deepEqual(view.mailbox.keywords, ['$Label1'])
      assert.equal(new Set(view.emails!.threadNumbers).size, 1)
      assert.deepEqual([view.mailbox.unseen, view.mailbox.messages], [1, 2])
      const ask = { accountId: taro, mailboxId: to, uid: uidsOf(2)[0]!, offset: 0, length: 1_000 }
      assert.match(Buffer.from((await at.store.read(ask)).octets!).toString(), /返事/)
      const used = async (accountId: AccountId) => (await at.store.usage({ accountId })).bytes
      assert.equal(await used(taro), await used(hanako))

      assert.equal(
        await at.refused([{ ...copy, kind: 'move' }], { accountId: taro }),
        'noPermission',
      )
      assert.equal(
        await at.refused([{ ...copy, from: to, fromAccount: taro, to: { id } }], { by: taro }),
        'noPermission',
      )
      assert.equal(await at.refused([copy], { accountId: jiro }), 'noMailbox')
      await at.done([expunging(id, 'all'), { kind: 'delete', mailboxId: id }])
      assert.match(Buffer.from((await at.store.read(ask)).octets!).toString(), /返事/)
    })

    it('move whole or not at all, and tell the readers of both', async () => {
      const at = bench()
      const id = await shared('lrite', 2)
      const to = await archive()
      const move = {
        kind: 'move',
        fromAccount: hanako,
        from: id,
        uids: uidsOf(1),
        to: { id: to },
      } as const
      const quota = { bytes: 10, messages: 0, warnPercent: 90 }
      assert.equal(await at.refused([move], { accountId: taro, quota }), 'quota')
      assert.equal((await viewFor(hanako, id))!.uids.length, 2)
      const told = at.changes.length
      await at.done([move], { accountId: taro })
      assert.deepEqual(
        new Set(at.changes.slice(told).map(({ mailboxId }) => mailboxId)),
        new Set([id, to]),
      )
      assert.deepEqual([...(await viewFor(hanako, id))!.uids], [2])
      // Back into what is hanako's: what taro has read goes along.
      await at.done([flags(to, [1], SEEN)], { accountId: taro })
      await at.done([grant(id, 's', taro, 'add')])
      await at.done([{ ...move, fromAccount: taro, from: to, to: { id } }], { by: taro })
      assert.deepEqual(await flagsFor(taro, id), [0, SEEN])
      assert.deepEqual(await flagsFor(hanako, id), [0, 0])
      assert.equal((await at.store.usage({ accountId: taro })).messages, 0)
      assert.equal((await at.store.recount()).recounted.length, 0)
    })
  })
}
