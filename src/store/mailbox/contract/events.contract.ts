import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseRights } from '#model/acl.ts'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { annotationId, annotationValue, SCRIPT_ENTRY } from '#store/mailbox/kept-object.ts'
import { append, hanako, taro, uidsOf } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'

const scripted = (mailboxId: MailboxId | undefined, text: string): MailboxChange => ({
  kind: 'keep',
  object: 'Annotation',
  id: annotationId(mailboxId, SCRIPT_ENTRY),
  value: annotationValue(text),
})

/** What happens in mailboxes that have a script for it (RFC 6785). */
export function eventsContract(bench: () => Bench): void {
  const waiting = async (at: Bench) => (await at.store.scriptEvents({ limit: 100 })).events
  /** What waits, and is done. */
  const happened = async (at: Bench): Promise<string[]> => {
    const events = await waiting(at)
    await at.store.scriptEventsDone({ ids: events.map(({ id }) => id) })
    return events.map(
      ({ cause, uid, changed, by, script }) =>
        `${cause} ${uid} ${[...changed, by, script].join(' ')}`,
    )
  }
  const copy = async (at: Bench, from: string, to: string, ...uids: readonly number[]) =>
    ({
      kind: 'copy',
      from: await at.idOf(from),
      uids: uidsOf(...uids),
      to: { path: [to], create: true },
    }) satisfies MailboxChange

  describe('events for which a mailbox has a script', () => {
    it('are each message that comes by append, copy or move, and each change of its flags', async () => {
      const at = bench()
      const inbox = await at.fill(3)
      await at.done([await copy(at, 'INBOX', '仕事', 1)])
      assert.deepEqual(await waiting(at), [])
      assert.equal(at.happened, 0)
      const work = await at.idOf('仕事')
      await at.done([scripted(work, '仕分け')])
      await at.done([append(['仕事']), { kind: 'subscribe', path: ['仕事'], on: true }])
      await at.done([await copy(at, 'INBOX', '仕事', 1, 3)])
      await at.done([{ ...(await copy(at, 'INBOX', '仕事', 2)), kind: 'move' }])
      assert.deepEqual(await happened(at), [
        'APPEND 2 hanako 仕分け',
        'COPY 3 hanako 仕分け',
        'COPY 4 hanako 仕分け',
        'COPY 5 hanako 仕分け',
      ])
      const flags = { kind: 'setFlags', mailboxId: work, keywords: ['$Work'] } as const
      await at.done([{ ...flags, uids: uidsOf(1), mode: 'add', flags: SEEN }])
      await at.done([{ ...flags, uids: uidsOf(1, 2), mode: 'replace', flags: SEEN + DELETED }])
      await at.done([{ ...flags, uids: uidsOf(1), mode: 'add', flags: 0 }])
      await at.done([{ ...flags, mailboxId: inbox, uids: uidsOf(1), mode: 'add', flags: SEEN }])
      assert.deepEqual(await happened(at), [
        'FLAG 1 \\Seen $Work hanako 仕分け',
        'FLAG 1 \\Deleted hanako 仕分け',
        'FLAG 2 \\Seen \\Deleted $Work hanako 仕分け',
      ])
    })

    it('are not what is delivered, imported, or done by a script', async () => {
      const at = bench()
      const inbox = await at.fill(1)
      await at.done([scripted(inbox, '仕分け')])
      await at.done([append(['INBOX'])], { deliveryId: 'D' })
      await at.done([append(['INBOX'], { assigned: { uid: uidsOf(9)[0]! } })])
      assert.deepEqual(await waiting(at), [])
      await at.done([await copy(at, 'INBOX', 'INBOX', 1)])
      const [event] = await waiting(at)
      const flag: MailboxChange = {
        kind: 'setFlags',
        mailboxId: inbox,
        uids: uidsOf(1),
        mode: 'add',
        flags: DELETED,
        keywords: [],
      }
      await at.done([flag, append(['INBOX']), await copy(at, 'INBOX', 'INBOX', 9)], {
        event: event!.id,
      })
      assert.deepEqual(await waiting(at), [])
      const again = await at.commit([append(['INBOX'])], { event: event!.id })
      assert.equal(again.kind, 'duplicate')
      assert.equal((await at.row(['INBOX'])).messages, 6)
    })

    it('have the script of the mailbox, be it none, else that of the account', async () => {
      const at = bench()
      const inbox = await at.fill(1)
      await at.done([scripted(undefined, '全部')])
      const one = await copy(at, 'INBOX', 'INBOX', 1)
      await at.done([one])
      await at.done([scripted(inbox, '受信箱')])
      await at.done([one])
      await at.done([scripted(inbox, '')])
      await at.done([one])
      const id = annotationId(inbox, SCRIPT_ENTRY)
      await at.done([{ kind: 'forget', object: 'Annotation', id }])
      await at.done([one])
      assert.deepEqual(await happened(at), [
        'COPY 2 hanako 全部',
        'COPY 3 hanako 受信箱',
        'COPY 5 hanako 全部',
      ])
    })

    it('tell who has done it; what others have read is no change of the message', async () => {
      const at = bench()
      const inbox = await at.fill(2)
      const rights = parseRights('lrswi')!
      await at.done([
        scripted(inbox, '仕分け'),
        { kind: 'grant', mailboxId: inbox, who: taro, mode: 'replace', rights },
      ])
      const flag = { kind: 'setFlags', mailboxId: inbox, mode: 'add', keywords: [] } as const
      await at.done([{ ...flag, uids: uidsOf(1), flags: SEEN }], { by: taro })
      assert.deepEqual(await happened(at), [])
      await at.done([{ ...flag, uids: uidsOf(2), flags: SEEN + 4 }], { by: taro })
      await at.done([append(['INBOX'])], { by: taro })
      assert.deepEqual(await happened(at), ['FLAG 2 \\Flagged taro 仕分け', 'APPEND 3 taro 仕分け'])
      assert.equal(at.happened, 2)
    })

    it('are nothing where the commit was refused', async () => {
      const at = bench()
      const inbox = await at.fill(1)
      await at.done([scripted(inbox, '仕分け')])
      assert.equal(await at.refused([append(['INBOX']), append(['無い'])]), 'noMailbox')
      assert.deepEqual(await waiting(at), [])
      assert.equal(at.happened, 0)
    })
  })

  it('copies within an account, as what is said of them', async () => {
    const at = bench()
    const inbox = await at.fill(2, { flags: SEEN })
    const as = { flags: DELETED, keywords: ['$Kept'], internalDateMs: 77 }
    await at.done([{ ...(await copy(at, 'INBOX', '控え', 1, 2)), as }])
    const row = await at.row(['控え'])
    assert.deepEqual([row.unseen, row.deleted, row.keywords], [2, 2, ['$Kept']])
    const view = await at.store.view({ accountId: hanako, mailboxId: row.id })
    assert.deepEqual(Array.from(view!.flags), [DELETED + 32, DELETED + 32])
    assert.deepEqual(Array.from(view!.internalDatesMs), [77, 77])
    assert.notEqual(inbox, row.id)
  })
}
