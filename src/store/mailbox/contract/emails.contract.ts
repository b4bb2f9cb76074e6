import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { EmailId, ThreadId } from '#model/mailbox.ts'
import { append, expunging, hanako, taro, text, uidsOf } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'
import type { AccountPosition, EmailChange } from '#store/mailbox/stored-email.ts'

/** Emails, threads and changes by the ids that JMAP uses (RFC 8621). */
export function emailsContract(bench: () => Bench): void {
  const state = async (at: Bench) => (await at.store.mailboxes({ accountId: hanako })).state
  const changes = async (at: Bench, since: AccountPosition, limit = 1_000) => {
    const found = await at.store.emailChanges({ accountId: hanako, since, limit })
    assert.ok(found !== undefined)
    return found
  }
  /** So many emails in INBOX, each of its own. */
  const fill = async (at: Bench, count: number, more: Parameters<typeof append>[1] = {}) => {
    const contents = Array.from({ length: count }, (_, n) => text(`Subject: ${n}\r\n\r\n本文`))
    await at.done(
      contents.map((_, content) => append(['INBOX'], { ...more, content })),
      { contents },
    )
    return at.idOf('INBOX')
  }
  const names = (list: readonly EmailChange[]): string[] =>
    list.map(({ emailId, isNew, isGone }) => `${emailId}${isNew ? '+' : ''}${isGone ? '-' : ''}`)

  describe('emails', () => {
    it('are found by id with all their copies, flags and keywords', async () => {
      const at = bench()
      const inbox = await fill(at, 2, { flags: SEEN, keywords: ['$Work'] })
      const [first, second] = await at.ids(inbox, 1, 2)
      const archive = await at.idOf('Archive')
      await at.done([
        { kind: 'copy', from: inbox, uids: uidsOf(2), to: { id: archive } },
        {
          kind: 'setFlags',
          mailboxId: archive,
          uids: uidsOf(1),
          mode: 'replace',
          flags: 4,
          keywords: ['$Home'],
        },
      ])
      const ask = [second!.emailId, 'Enobody1' as EmailId, first!.emailId, 'E' as EmailId]
      const found = await at.store.emails({ accountId: hanako, emailIds: ask })
      assert.deepEqual(
        found.emails.map((email) =>
          email?.places.map(({ mailboxId, uid, flags, keywords }) => ({
            inbox: mailboxId === inbox,
            uid,
            flags,
            keywords,
          })),
        ),
        [
          [
            { inbox: true, uid: 2, flags: SEEN, keywords: ['$Work'] },
            { inbox: false, uid: 1, flags: 4, keywords: ['$Home'] },
          ],
          undefined,
          [{ inbox: true, uid: 1, flags: SEEN, keywords: ['$Work'] }],
          undefined,
        ],
      )
      assert.deepEqual(found.state, await state(at))
      // Another's ids are nobody's.
      const others = await at.store.emails({ accountId: taro, emailIds: ask })
      assert.ok(others.emails.every((email) => email === undefined))
    })

    it('of a thread come in the order in which they came; what is \\Deleted is not there', async () => {
      const at = bench()
      const mail = (id: string, reply = '') =>
        text(`Message-ID: <${id}@x>\r\nSubject: Re: 会議\r\n${reply}\r\n本文`)
      for (const [atMs, content] of [
        [3_000, mail('a')],
        [1_000, mail('b', 'In-Reply-To: <a@x>\r\n')],
        [2_000, mail('c', 'References: <a@x>\r\n')],
      ] as const)
        await at.done([append(['INBOX'], { internalDateMs: atMs })], { contents: [content] })
      const inbox = await at.idOf('INBOX')
      const ids = await at.ids(inbox, 1, 2, 3)
      const threadIds = [ids[0]!.threadId, 'T1' as ThreadId]
      const threads = async () => (await at.store.threads({ accountId: hanako, threadIds })).threads
      const [a, b, c] = ids.map((each) => each!.emailId)
      assert.deepEqual(await threads(), [[b, c, a], undefined])
      await at.done([
        {
          kind: 'setFlags',
          mailboxId: inbox,
          uids: uidsOf(3),
          mode: 'add',
          flags: DELETED,
          keywords: [],
        },
      ])
      assert.deepEqual(await threads(), [[b, a], undefined])
    })

    it('have their numbers in a view, whole or since', async () => {
      const at = bench()
      const inbox = await fill(at, 3)
      const ids = await at.ids(inbox, 1, 2, 3)
      const whole = await at.store.view({ accountId: hanako, mailboxId: inbox, emails: true })
      const { tag, emailNumbers, threadNumbers } = whole!.emails!
      const named = (kind: string, numbers: Float64Array) =>
        Array.from(numbers, (number) => `${kind}${tag}${number.toString(36)}`)
      assert.deepEqual(
        named('E', emailNumbers),
        ids.map((each) => each!.emailId),
      )
      assert.deepEqual(
        named('T', threadNumbers),
        ids.map((each) => each!.threadId),
      )
      const since = whole!.mailbox.highestModSeq
      await at.done([append(['INBOX']), expunging(inbox, [1])])
      const ask = { accountId: hanako, mailboxId: inbox, since, emails: true }
      const delta = await at.store.view(ask)
      assert.deepEqual([[...delta!.uids], [...delta!.vanished]], [[4], [1]])
      assert.deepEqual(
        named('E', delta!.emails!.emailNumbers),
        (await at.ids(inbox, 4)).map((each) => each!.emailId),
      )
    })

    it('of many rows, replies among them, have the same threads as one by one', async () => {
      const at = bench()
      const mail = (n: number) =>
        text(
          `Message-ID: <${n}@x>\r\nSubject: Re: 会議\r\n` +
            `${n % 3 === 0 ? '' : `References: <${n - (n % 3)}@x>\r\n`}\r\n本文`,
        )
      const contents = Array.from({ length: 400 }, (_, n) => mail(n))
      await at.done(
        contents.map((_, content) => append(['INBOX'], { content })),
        { contents },
      )
      const inbox = await at.idOf('INBOX')
      const view = await at.store.view({ accountId: hanako, mailboxId: inbox, emails: true })
      const { tag, threadNumbers } = view!.emails!
      const ids = await at.ids(inbox, ...view!.uids)
      assert.deepEqual(
        Array.from(threadNumbers, (number) => `T${tag}${number.toString(36)}`),
        ids.map((each) => each!.threadId),
      )
      assert.equal(new Set(threadNumbers).size, 134)
    })

    it('that came, changed and went since are told, each once (RFC 8620 §5.2)', async () => {
      const at = bench()
      const inbox = await fill(at, 4)
      const before = await state(at)
      const ids = (await at.ids(inbox, 1, 2, 3, 4)).map((each) => each!.emailId)
      await at.done([
        {
          kind: 'setFlags',
          mailboxId: inbox,
          uids: uidsOf(2),
          mode: 'add',
          flags: SEEN,
          keywords: [],
        },
      ])
      await at.done([expunging(inbox, [1])])
      const trash = { id: await at.idOf('Trash') }
      await at.done([{ kind: 'move', from: inbox, uids: uidsOf(3), to: trash }])
      await at.done([append(['INBOX'])])
      await at.done([append(['INBOX'])])
      await at.done([expunging(inbox, [6])])
      const [fresh] = await at.ids(inbox, 5)
      const found = await changes(at, before)
      assert.deepEqual(names(found.changes).slice(0, 4), [
        ids[1],
        `${ids[0]}-`,
        ids[2],
        `${fresh!.emailId}+`,
      ])
      assert.match(names(found.changes)[4]!, /\+-$/, 'came and went')
      assert.deepEqual([found.changes.length, found.more], [5, false])
      assert.deepEqual(found.state, await state(at))
      assert.deepEqual((await changes(at, found.state)).changes, [])
    })

    it('are told in steps of any size, also amid one commit', async () => {
      const at = bench()
      const inbox = await fill(at, 7)
      const before = await state(at)
      const to = { id: await at.idOf('Archive') }
      await at.done([{ kind: 'move', from: inbox, uids: uidsOf(1, 2, 3, 4, 5, 6, 7), to }])
      const told: string[] = []
      let since: AccountPosition = before
      for (;;) {
        const { changes: some, more } = await changes(at, since, 2)
        told.push(...names(some))
        if (!more) break
        const last = some.at(-1)!
        since = { modSeq: last.modSeq, nextEmail: before.nextEmail, email: last.email }
      }
      const moved = await at.ids(to.id, 1, 2, 3, 4, 5, 6, 7)
      assert.deepEqual(
        told,
        moved.map((each) => each!.emailId),
      )
    })

    it('of a later time, or from before an import, cannot be told', async () => {
      const at = bench()
      await fill(at, 1)
      const before = await state(at)
      const ask = { accountId: hanako, limit: 10 }
      const later = { ...before, modSeq: before.modSeq + 1 }
      assert.equal(await at.store.emailChanges({ ...ask, since: later }), undefined)
      assert.equal(await at.store.mailboxChanges({ accountId: hanako, since: later }), undefined)
      const assigned = { uid: 9 as never, modSeq: 5n as never }
      await at.done([append(['INBOX'], { assigned })])
      assert.equal(await at.store.emailChanges({ ...ask, since: before }), undefined)
    })
  })

  describe('mailboxes', () => {
    it('that came, changed and went since are told, by name or by counts only', async () => {
      const at = bench()
      await at.done([
        { kind: 'create', path: ['会議'] },
        { kind: 'create', path: ['古い'] },
      ])
      const before = await state(at)
      const [inbox, meeting, old] = [
        await at.idOf('INBOX'),
        await at.idOf('会議'),
        await at.idOf('古い'),
      ]
      const told = async (since = before) => {
        const found = await at.store.mailboxChanges({ accountId: hanako, since })
        return found!.changes.map((change) => {
          const { mailboxId, isNew, isGone, countsOnly } = change
          return `${mailboxId}${isNew ? '+' : ''}${isGone ? '-' : ''}${countsOnly ? '#' : ''}`
        })
      }
      assert.deepEqual(await told(), [])
      await at.done([append(['INBOX'])])
      await at.done([{ kind: 'rename', mailboxId: meeting, path: ['打合せ'] }])
      await at.done([{ kind: 'delete', mailboxId: old }])
      await at.done([{ kind: 'create', path: ['新しい'] }])
      await at.done([{ kind: 'subscribe', path: ['Trash'], on: false }])
      const [fresh, trash] = [await at.idOf('新しい'), await at.idOf('Trash')]
      assert.deepEqual(await told(), [`${inbox}#`, meeting, `${old}-`, `${fresh}+`, trash])
      assert.deepEqual(await told(await state(at)), [])
      // Nothing changed, nothing is told.
      const now = await state(at)
      await at.done([{ kind: 'subscribe', path: ['Trash'], on: false }])
      assert.deepEqual(await told(now), [])
    })
  })
}
