import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAY_MS } from '#base/time.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { parseRights } from '#model/acl.ts'
import { append, hanako, taro, uidsOf } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'

/** What people say of mails by where they put them. */
export function junkContract(bench: () => Bench): void {
  /** What waits, and is taken. */
  const said = async (at: Bench): Promise<string[]> => {
    const { reports } = await at.store.junkReports({ limit: 100 })
    await at.store.junkReportsDone({ reports })
    return reports.map(({ accountId, word, emailId }) => `${accountId} ${word} ${emailId}`)
  }
  /** Moves or copies UIDs; the UID behind it. */
  const put = async (
    at: Bench,
    kind: 'move' | 'copy',
    [from, to]: readonly [from: string, to: string],
    uid: number,
  ): Promise<number> => {
    const change: MailboxChange = {
      kind,
      from: await at.idOf(...from.split('/')),
      uids: uidsOf(uid),
      to: { path: to.split('/'), create: true },
    }
    const { targets } = await at.one(kind, change)
    return targets[0]!
  }
  const emailOf = async (at: Bench, uid: number): Promise<string> =>
    (await at.ids(await at.idOf('INBOX'), uid))[0]!.emailId

  describe('what is said by moves into \\Junk and out of it', () => {
    it('is told once of each email, below \\Junk as in it, by move, copy or append', async () => {
      const at = bench()
      for (let i = 0; i < 3; i++) await at.fill(1)
      const emails = [await emailOf(at, 1), await emailOf(at, 2), await emailOf(at, 3)]
      const moved = await put(at, 'move', ['INBOX', 'Junk'], 1)
      await put(at, 'copy', ['INBOX', 'Junk/SPAM'], 2)
      await put(at, 'copy', ['INBOX', 'Junk/SPAM'], 2)
      await put(at, 'move', ['INBOX', '会議'], 3)
      assert.deepEqual(await said(at), [
        `hanako reported ${emails[0]}`,
        `hanako reported ${emails[1]}`,
      ])
      assert.deepEqual(await said(at), [])
      // Within \Junk nothing is said anew.
      const inside = await put(at, 'move', ['Junk', 'Junk/会議'], moved)
      assert.deepEqual(await said(at), [])
      const back = await put(at, 'move', ['Junk/会議', 'INBOX'], inside)
      assert.deepEqual(await said(at), [`hanako denied ${emails[0]}`])
      await put(at, 'move', ['INBOX', 'Junk'], back)
      assert.deepEqual(await said(at), [`hanako reported ${emails[0]}`])
      // With another change, so that it is no delivery, whatever lies in between.
      const [appended] = await at.done([
        append(['Junk', 'SPAM']),
        { kind: 'subscribe', path: ['Junk'], on: true },
      ])
      assert.ok(appended?.kind === 'append')
      assert.deepEqual(await said(at), [`hanako reported ${appended.emailId}`])
    })

    it('is nothing where a mail is thrown away, delivered, imported or notified', async () => {
      const at = bench()
      await at.done([append(['Junk'])], { deliveryId: 'D1' })
      await at.done([append(['Junk'], { assigned: { uid: uidsOf(7)[0]! } })])
      await put(at, 'move', ['Junk', 'Trash'], 1)
      await put(at, 'move', ['Trash', 'INBOX'], 1)
      await at.done([append(['INBOX'])])
      assert.deepEqual(await said(at), [])
    })

    it('is nothing where the commit was refused, and is told to those who listen otherwise', async () => {
      const at = bench()
      const inbox = await at.fill(1)
      const report: MailboxChange = {
        kind: 'move',
        from: inbox,
        uids: uidsOf(1),
        to: { path: ['Junk'], create: false },
      }
      assert.equal(await at.refused([report, append(['無い'])]), 'noMailbox')
      assert.deepEqual(await said(at), [])
      assert.equal(at.reported, 0)
      await at.done([report])
      assert.equal(at.reported, 1)
    })

    it('is said of what another account’s mail was put into one’s own \\Junk', async () => {
      const at = bench()
      await at.done([append(['INBOX'])], { accountId: taro })
      const from = (await at.row(['INBOX'], taro)).id
      await at.done(
        [
          {
            kind: 'grant',
            mailboxId: from,
            who: hanako,
            mode: 'replace',
            rights: parseRights('lr')!,
          },
        ],
        { accountId: taro },
      )
      await at.done([
        {
          kind: 'copy',
          from,
          fromAccount: taro,
          uids: uidsOf(1),
          to: { path: ['Junk'], create: false },
        },
      ])
      const [word, ...others] = await said(at)
      assert.match(word ?? '', /^hanako reported E/)
      assert.deepEqual(others, [])
    })

    it('waits until it is handed on, and is forgotten after a month', async () => {
      const at = bench()
      await at.fill(1)
      const email = await emailOf(at, 1)
      await put(at, 'copy', ['INBOX', 'Junk'], 1)
      at.clock.advance(40 * DAY_MS)
      await at.store.purge({ beforeMs: 0 })
      assert.deepEqual(await said(at), [`hanako reported ${email}`])
      at.clock.advance(1)
      await at.store.purge({ beforeMs: 0 })
      await put(at, 'copy', ['INBOX', 'Junk'], 1)
      assert.deepEqual(await said(at), [`hanako reported ${email}`])
    })
  })
}
