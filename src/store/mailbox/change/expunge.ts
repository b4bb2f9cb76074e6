import { DELETED } from '#model/mailbox.ts'
import { count, pick, pickedUids, tallyPicked } from '#store/mailbox/rows/pick.ts'
import { modSeqOf, nextModSeq } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import { forgetSeen } from '#store/mailbox/rows/seen.ts'
import type { ChangeResult, MailboxChange } from '#store/mailbox/commit.ts'

type ExpungeChange = Extract<MailboxChange, { kind: 'expunge' }>

/** Expunged rows move to `gone`, where they stay readable until they are released. */
export function expunge(work: AccountWork, row: Mailbox, change: ExpungeChange): ChangeResult {
  pick(work, row.mid, change.uids)
  if (change.deletedOnly)
    work.sql.run(
      `DELETE FROM picked WHERE EXISTS (SELECT 1 FROM message m WHERE m.aid = ? AND m.mid = ?
       AND m.uid = picked.uid AND m.flags & ${DELETED} = 0)`,
      work.aid,
      row.mid,
    )
  const uids = pickedUids(work)
  const modSeq = uids.length === 0 ? row.modSeq : nextModSeq(work, row.mid)
  if (uids.length > 0) buryPicked(work, row.mid, modSeq)
  return { kind: 'expunge', uids, modSeq: modSeqOf(modSeq) }
}

/** All that the mailbox holds, as its deletion wants it; tells its readers in any case. */
export function expungeAll(work: AccountWork, row: Mailbox): void {
  const modSeq = nextModSeq(work, row.mid)
  pick(work, row.mid, 'all')
  buryPicked(work, row.mid, modSeq)
}

export function buryPicked(work: AccountWork, mid: number, modSeq: number): void {
  const { sql, aid } = work
  const tally = tallyPicked(work, mid)
  sql.run(
    `INSERT INTO gone (aid, mid, uid, flags, modseq, size, internal_at, saved_at, eid, uidl, gone_at)
     SELECT m.aid, m.mid, m.uid, m.flags, ?, m.size, m.internal_at, m.saved_at, m.eid, m.uidl, ?
     FROM picked p CROSS JOIN message m ON m.aid = ? AND m.mid = ? AND m.uid = p.uid`,
    modSeq,
    work.nowMs,
    aid,
    mid,
  )
  forgetSeen({ sql, aid, mid }, () => pickedUids(work))
  sql.run(
    'DELETE FROM message WHERE aid = ? AND mid = ? AND uid IN (SELECT uid FROM picked)',
    aid,
    mid,
  )
  count(work, { mid, modSeq, sign: -1, ...tally })
}
