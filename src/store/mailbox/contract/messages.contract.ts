import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import { messagePieces, PIECES_MAX } from '#store/mailbox/message-pieces.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import {
  append,
  expunging,
  hanako,
  largeContent,
  noMailbox,
  taro,
  text,
  uidsOf,
} from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'
import { KEYWORDS_PER_MAILBOX_MAX } from '#store/mailbox/mailbox-view.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'

const FLAGGED = 4

const flagging = (
  mailboxId: MailboxId,
  uids: readonly number[],
  flags: number,
  more: Partial<Extract<MailboxChange, { kind: 'setFlags' }>> = {},
): MailboxChange => ({
  kind: 'setFlags',
  mailboxId,
  uids: uids as Uid[],
  mode: 'add',
  flags,
  keywords: [],
  ...more,
})

/** append, setFlags, expunge, copy, move. */
export function messagesContract(bench: () => Bench): void {
  describe('append', () => {
    it('gives rising UIDs and MODSEQs, counts, and keeps octets, dates and flags', async () => {
      const at = bench()
      const before = await at.row(['INBOX'])
      const prefix = fromUtf8('Delivered-To: 花子\r\n')
      const body = 'Subject: =?UTF-8?B?5Lya6K2w?=\r\n\r\n本文\0\xff, bare LF\nno end'
      const made = []
      for (const flags of [0, SEEN, SEEN | DELETED]) {
        const change = append(['INBOX'], { flags, prefix, internalDateMs: 1_234.5 })
        made.push(await at.one('append', change, { contents: [text(body)] }))
        at.clock.advance(1_000)
      }
      const { mailbox, ...view } = await at.view(before.id)
      assert.deepEqual(
        made.map(({ uid }) => uid),
        [1, 2, 3],
      )
      assert.ok(made.every(({ uidValidity }) => uidValidity === mailbox.uidValidity))
      const [first, second, third] = view.modSeqs
      assert.ok(Number(before.highestModSeq) < first! && first! < second! && second! < third!)
      assert.equal(mailbox.highestModSeq, BigInt(third!))
      const size = prefix.length + Buffer.byteLength(body)
      const counts = { messages: 3, unseen: 1, deleted: 1, sizeBytes: 3 * size, uidNext: 4 }
      assert.deepEqual({ ...mailbox, ...counts }, mailbox)
      assert.deepEqual([...view.sizes], [size, size, size])
      assert.deepEqual([...view.flags], [0, SEEN, SEEN | DELETED])
      assert.deepEqual([...view.internalDatesMs], [1_234, 1_234, 1_234])
      const saved = [...view.savedAtMs]
      assert.deepEqual([saved[1]! - saved[0]!, saved[2]! - saved[1]!], [1_000, 1_000])
      assert.equal(await at.read(before.id, 2), `Delivered-To: 花子\r\n${body}`)
    })

    it('one content filed into two mailboxes is one email, another content another (RFC 8474 §5.1)', async () => {
      const at = bench()
      const [one, two, other, prefixed] = await at.done(
        [
          append(['INBOX']),
          append(['Archive']),
          append(['INBOX'], { content: 1 }),
          append(['Trash'], { prefix: fromUtf8('X: 1\r\n') }),
        ],
        { contents: [text('一'), text('一')] },
      )
      assert.ok(one?.kind === 'append' && two?.kind === 'append')
      assert.ok(other?.kind === 'append' && prefixed?.kind === 'append')
      assert.equal(one.emailId, two.emailId)
      assert.equal(new Set([one.emailId, other.emailId, prefixed.emailId]).size, 3)
      assert.deepEqual(
        (await at.ids(one.mailboxId, 1, 2)).map((ids) => ids?.emailId),
        [one.emailId, other.emailId],
      )
    })

    it('replies join the thread of what they answer, by their subject as well (RFC 8621 §3)', async () => {
      const at = bench()
      const mail = (lines: string): ReturnType<typeof text> => text(`${lines}\r\n\r\n本文`)
      const contents = [
        mail('Message-ID: <1@x>\r\nSubject: =?UTF-8?B?5Lya6K2w?='),
        mail('Message-ID: <2@x>\r\nReferences: <1@x>\r\nSubject: Re: =?UTF-8?B?5Lya6K2w?='),
        mail('Message-ID: <3@x>\r\nReferences: <1@x>\r\nSubject: other'),
      ]
      const changes = contents.map((_, content) => append(['INBOX'], { content }))
      const threads = (await at.done(changes, { contents })).map((result) =>
        result.kind === 'append' ? result.threadId : '',
      )
      assert.equal(threads[0], threads[1])
      assert.notEqual(threads[0], threads[2])
    })

    it('a large content, in a file or in memory, reads back in pieces', async () => {
      const at = bench()
      const octets = fromUtf8('Subject: 大\r\n\r\n'.padEnd(200_000, '渡り鳥'))
      const contents = [await largeContent(at.store, octets), { octets: [octets] }]
      await at.done([append(['INBOX']), append(['INBOX'], { content: 1 })], { contents })
      const inbox = await at.idOf('INBOX')
      const wholes = ['Received: から\r\n', ''].map((prefix) => prefix + toUtf8(octets))
      assert.equal(await at.read(inbox, 1), wholes[0])
      assert.equal(await at.read(inbox, 2), wholes[1])
      const whole = Buffer.from(wholes[0]!)
      for (const [offset, length] of [
        [0, 5],
        [9, 20],
        [whole.length - 3, 100],
        [whole.length, 100],
      ] as const) {
        const ask = { accountId: hanako, mailboxId: inbox, uid: 1 as Uid, offset, length }
        const got = await at.store.read(ask)
        assert.deepEqual(Buffer.from(got.octets!), whole.subarray(offset, offset + length))
      }
      assert.ok(READ_BYTES_MAX >= whole.length)
    })

    it('pieces of many messages come in one answer, in the order asked for', async () => {
      const at = bench()
      const octets = fromUtf8('Subject: 大\r\n\r\n'.padEnd(200_000, '渡り鳥'))
      const contents = [await largeContent(at.store, octets), text('A: 一\r\n\r\n本文')]
      const prefix = fromUtf8('Return-Path: <>\r\n')
      await at.done(
        [
          append(['INBOX']),
          append(['INBOX'], { content: 1 }),
          append(['INBOX'], { content: 1, prefix }),
        ],
        { contents },
      )
      const mailboxId = await at.idOf('INBOX')
      const asked: readonly (readonly [uid: number, offset: number, length: number])[] = [
        [3, 0, 300],
        [1, 9, 20],
        [9, 0, 10],
        [2, 3, 4],
        [3, 10, 12],
        [3, 4, 5],
        [1, 199_999, 200_000],
        [2, 1_000, 5],
        [3, 0, 300],
      ]
      const pieces = asked.map(([uid, offset, length]) => ({ uid: uid as Uid, offset, length }))
      const ask = { accountId: hanako, mailboxId }
      const found = await messagePieces(at.store, { ...ask, pieces })
      for (const [index, piece] of pieces.entries()) {
        const alone = (await at.store.read({ ...ask, ...piece })).octets
        const told = found[index]!
        assert.deepEqual(
          typeof told === 'string' ? told : toUtf8(told),
          alone === undefined ? 'gone' : toUtf8(alone),
        )
      }
      assert.deepEqual(await messagePieces(at.store, { ...ask, pieces: [] }), [])
      const many = Array.from({ length: PIECES_MAX + 1 }, () => pieces[3]!)
      const much = [{ uid: 1 as Uid, offset: 0, length: READ_BYTES_MAX }, pieces[3]!]
      for (const tooMuch of [many, much])
        await assert.rejects(messagePieces(at.store, { ...ask, pieces: tooMuch }), /at most/)
    })

    it('changes of one commit happen together or not at all, each account for itself', async () => {
      const at = bench()
      const { results } = await at.store.commit({
        contents: [text('x')],
        commits: [
          { accountId: hanako, changes: [append(['INBOX']), append(['無い'])] },
          { accountId: taro, changes: [append(['INBOX'])] },
        ],
      })
      assert.deepEqual(
        results.map((result) => (result.kind === 'refused' ? result.refusal.code : result.kind)),
        ['noMailbox', 'committed'],
      )
      assert.equal((await at.row(['INBOX'])).messages, 0)
      assert.equal((await at.row(['INBOX'])).uidNext, 1)
      assert.equal((await at.row(['INBOX'], taro)).messages, 1)
      assert.ok(at.changes.every(({ accountId }) => accountId === taro))
      // Ids of one account say nothing in another.
      const theirs = (await at.row(['INBOX'], taro)).id
      assert.equal(await at.store.view({ accountId: hanako, mailboxId: theirs }), undefined)
      assert.equal(await at.refused([append([], { mailbox: { id: theirs } })]), 'noMailbox')
    })
  })

  describe('setFlags', () => {
    it('adds, removes and replaces; a row that has them keeps its MODSEQ', async () => {
      const at = bench()
      const inbox = await at.fill(3)
      const set = (...args: Parameters<typeof flagging>) => at.one('setFlags', flagging(...args))
      assert.deepEqual([...(await set(inbox, [1, 2, 99], SEEN)).updated], [1, 2])
      const same = await set(inbox, [2], SEEN)
      assert.equal(same.updated.length, 0)
      await set(inbox, [1], SEEN, { mode: 'remove' })
      const added = await set(inbox, [2], DELETED, { mode: 'add', keywords: ['$Important'] })
      assert.ok(added.modSeq > same.modSeq)
      await set(inbox, [3], FLAGGED, { mode: 'replace', keywords: ['$Important', 'b'] })
      const { mailbox, flags, modSeqs } = await at.view(inbox)
      assert.deepEqual(mailbox.keywords, ['$Important', 'b'])
      assert.deepEqual([...flags], [0, SEEN | DELETED | 32, FLAGGED | 32 | 64])
      assert.deepEqual([mailbox.unseen, mailbox.deleted], [2, 1])
      assert.equal(new Set(modSeqs).size, 3)
      assert.equal(Number(mailbox.highestModSeq), Math.max(...modSeqs))
      await set(inbox, [3], 0, { mode: 'replace' })
      assert.deepEqual([...(await at.view(inbox)).flags], [0, SEEN | DELETED | 32, 0])
      await set(inbox, [2], DELETED, { mode: 'remove', keywords: ['$Important', 'none'] })
      assert.deepEqual([...(await at.view(inbox)).flags], [0, SEEN, 0])
    })

    it('leaves rows that changed since and names them (RFC 7162 §3.1.3)', async () => {
      const at = bench()
      const inbox = await at.fill(3)
      const since = (await at.view(inbox)).mailbox.highestModSeq
      await at.done([flagging(inbox, [2], SEEN)])
      const result = await at.one(
        'setFlags',
        flagging(inbox, [3, 2, 1], DELETED, { unchangedSince: since }),
      )
      assert.deepEqual([...result.failed], [2])
      assert.deepEqual([...result.updated], [1, 3])
      assert.deepEqual([...(await at.view(inbox)).flags], [DELETED, SEEN, DELETED])
    })

    it('knows so many keywords, ignores their case, refuses what is no atom', async () => {
      const at = bench()
      const inbox = await at.fill(1)
      const names = Array.from({ length: KEYWORDS_PER_MAILBOX_MAX }, (_, i) => `kw${i}`)
      await at.done([flagging(inbox, [1], 0, { keywords: names })])
      await at.done([flagging(inbox, [1], 0, { keywords: ['kw3', 'KW3'], mode: 'remove' })])
      const { flags, mailbox } = await at.view(inbox)
      assert.equal(mailbox.keywords.length, KEYWORDS_PER_MAILBOX_MAX)
      assert.equal(flags[0], 2 ** 32 - 32 - 2 ** (5 + 3))
      const refused = (...keywords: string[]): Promise<string> =>
        at.refused([flagging(inbox, [1], 0, { keywords })])
      assert.equal(await refused('onemore'), 'limit')
      const other = await at.idOf('Archive')
      await at.done([append(['Archive'], { keywords: ['Junk', '$Forwarded'] })])
      await at.done([flagging(other, [1], 0, { mode: 'remove', keywords: ['jUNK'] })])
      assert.deepEqual([...(await at.view(other)).flags], [64])
      for (const bad of ['', 'a b', '\\Seen', 'a\r\n', 'a'.repeat(256), '重要', 'a(', 'é"'])
        assert.equal(await at.refused([flagging(other, [1], 0, { keywords: [bad] })]), 'badName')
      assert.equal(await at.refused([flagging(noMailbox, [1], 0)]), 'noMailbox')
    })
  })

  describe('expunge', () => {
    it('takes what is named, or only what is \\Deleted; a UID never comes again', async () => {
      const at = bench()
      const inbox = await at.fill(5)
      await at.done([flagging(inbox, [2, 4], DELETED)])
      const since = (await at.view(inbox)).mailbox.highestModSeq
      const first = await at.one('expunge', expunging(inbox, [1, 2, 77], true))
      assert.deepEqual([...first.uids], [2])
      const none = await at.one('expunge', expunging(inbox, [1], true))
      assert.deepEqual([none.uids.length, none.modSeq], [0, first.modSeq])
      const second = await at.one('expunge', expunging(inbox, 'all', true))
      assert.deepEqual([...second.uids], [4])
      assert.ok(second.modSeq > first.modSeq)
      assert.deepEqual([...(await at.view(inbox, first.modSeq)).vanished], [4])
      const third = await at.one('expunge', expunging(inbox, 'all'))
      assert.deepEqual([...third.uids], [1, 3, 5])
      const { mailbox, uids, vanished } = await at.view(inbox, since)
      assert.deepEqual([[...uids], [...vanished]], [[], [1, 2, 3, 4, 5]])
      const empty = { messages: 0, unseen: 0, deleted: 0, sizeBytes: 0, uidNext: 6 }
      assert.deepEqual({ ...mailbox, ...empty }, mailbox)
      assert.equal((await at.one('append', append(['INBOX']))).uid, 6)
      assert.equal(await at.refused([expunging(noMailbox, 'all')]), 'noMailbox')
    })

    it('what is expunged stays readable for the sessions that still show it', async () => {
      const at = bench()
      const inbox = await at.fill(1)
      const [before] = await at.ids(inbox, 1)
      await at.done([expunging(inbox, 'all')])
      assert.equal(await at.read(inbox, 1), 'Subject: 会議\r\n\r\n本文')
      assert.deepEqual(await at.ids(inbox, 1), [before])
      const ask = { accountId: hanako, mailboxId: inbox, uids: uidsOf(1, 2) }
      const metas = await Array.fromAsync(storedMetas(at.store, ask))
      assert.equal(metas[0]?.meta.sizeBytes, Buffer.byteLength('Subject: 会議\r\n\r\n本文'))
      assert.equal(metas[1], undefined)
    })

    it('they are told among others, side by side or far apart, where they are asked for', async () => {
      const at = bench()
      const inbox = await at.fill(40)
      await at.done([expunging(inbox, [2, 3, 20])])
      const sets = [
        [1, 2, 3, 4],
        [4, 1],
        [1, 40],
        [20, 3],
        [3, 3, 2],
        [40, 20, 1, 77],
        [19, 20, 21],
      ]
      for (const set of sets) {
        const uids = uidsOf(...set)
        const ids = (await at.store.ids({ accountId: hanako, mailboxId: inbox, uids })).ids
        assert.deepEqual(
          ids.map((id) => id?.uid),
          set.map((uid) => (uid <= 40 ? uid : undefined)),
        )
        const pieces = uids.map((uid) => ({ uid, offset: 0, length: 7 }))
        const found = await messagePieces(at.store, { accountId: hanako, mailboxId: inbox, pieces })
        assert.deepEqual(
          found.map((piece) => (typeof piece === 'string' ? piece : toUtf8(piece))),
          set.map((uid) => (uid <= 40 ? 'Subject' : 'gone')),
        )
      }
    })
  })

  describe('copy and move', () => {
    it('give new UIDs in order, keep dates, identity and keywords', async () => {
      const at = bench()
      await at.done([append(['Archive'], { keywords: ['other', 'b'] })])
      const inbox = await at.fill(3, { keywords: ['a', 'b'], flags: SEEN, internalDateMs: 77 })
      const archive = await at.idOf('Archive')
      at.clock.advance(5_000)
      const copied = await at.one('copy', {
        kind: 'copy',
        from: inbox,
        uids: uidsOf(3, 1, 99),
        to: { id: archive },
      })
      assert.deepEqual(
        [[...copied.sources], [...copied.targets]],
        [
          [1, 3],
          [2, 3],
        ],
      )
      const { mailbox, flags, internalDatesMs, savedAtMs } = await at.view(archive)
      assert.deepEqual(mailbox.keywords, ['other', 'b', 'a'])
      assert.equal(copied.uidValidity, mailbox.uidValidity)
      assert.equal(copied.modSeq, mailbox.highestModSeq)
      assert.deepEqual([...flags], [32 | 64, SEEN | 64 | 128, SEEN | 64 | 128])
      assert.deepEqual([internalDatesMs[1], savedAtMs[1]! - savedAtMs[0]!], [77, 5_000])
      const moved = await at.one('move', {
        kind: 'move',
        from: inbox,
        uids: uidsOf(1, 2),
        to: { id: archive },
      })
      assert.deepEqual(
        [[...moved.sources], [...moved.targets]],
        [
          [1, 2],
          [4, 5],
        ],
      )
      assert.deepEqual([...(await at.view(inbox)).uids], [3])
      const [ids3, ...copies] = [...(await at.ids(inbox, 3)), ...(await at.ids(archive, 2, 3, 4))]
      assert.equal(copies[1]?.emailId, ids3?.emailId)
      assert.equal(copies[0]?.threadId, copies[2]?.threadId)
      // POP3 must never list one UIDL twice (RFC 1939 §7).
      const uidls = [ids3, ...copies].map((ids) => ids?.uidl)
      assert.equal(new Set(uidls).size, 4)
      assert.equal(await at.read(archive, 5), 'Subject: 会議\r\n\r\n本文')
    })

    it('make the target where that is asked, and say [TRYCREATE] where not', async () => {
      const at = bench()
      const inbox = await at.fill(2)
      const to = (create: boolean): MailboxChange => ({
        kind: 'move',
        from: inbox,
        uids: uidsOf(1),
        to: { path: ['案件', '会議'], create },
      })
      assert.equal(await at.refused([to(false)]), 'noMailbox')
      assert.deepEqual([...(await at.view(inbox)).uids], [1, 2])
      const { mailboxId, targets } = await at.one('move', to(true))
      assert.equal(mailboxId, await at.idOf('案件', '会議'))
      assert.deepEqual([...targets], [1])
      assert.equal((await at.row(['案件', '会議'])).subscribed, true)
      const nothing = await at.one('copy', {
        kind: 'copy',
        from: inbox,
        uids: uidsOf(1),
        to: { id: mailboxId },
      })
      assert.equal(nothing.sources.length, 0)
    })

    it('within one mailbox a copy is a further message', async () => {
      const at = bench()
      const inbox = await at.fill(1)
      await at.done([{ kind: 'copy', from: inbox, uids: uidsOf(1), to: { id: inbox } }])
      await at.done([{ kind: 'move', from: inbox, uids: uidsOf(1), to: { id: inbox } }])
      assert.deepEqual([...(await at.view(inbox)).uids], [2, 3])
    })
  })
}
