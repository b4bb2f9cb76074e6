import { keywordBits } from './keywords.ts'
import { pick, pickedUids, count } from '#store/mailbox/rows/pick.ts'
import { modSeqOf, nextModSeq } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import type { ChangeResult, MailboxChange } from '#store/mailbox/commit.ts'

type FlagsChange = Extract<MailboxChange, { kind: 'setFlags' }>

const ALL_FLAGS = 2 ** 32 - 1

/** Sets, adds or removes flags. A row that has them already keeps its MODSEQ. */
export function setFlags(work: AccountWork, row: Mailbox, change: FlagsChange): ChangeResult {
  const { sql, aid } = work
  const { mid } = row
  const named = keywordBits(work, row, {
    keywords: change.keywords,
    allocate: change.mode !== 'remove',
  })
  const bits = (change.flags & 31) + named
  // new = old & keep | set
  const keep = { add: ALL_FLAGS, remove: ALL_FLAGS - bits, replace: 0 }[change.mode]
  const set = change.mode === 'remove' ? 0 : bits
  pick(work, mid, change.uids)
  const failed =
    change.unchangedSince === undefined
      ? new Uint32Array(0)
      : dropChanged(work, mid, change.unchangedSince)
  sql.run(
    `DELETE FROM picked WHERE EXISTS (SELECT 1 FROM message m WHERE m.aid = ? AND m.mid = ?
     AND m.uid = picked.uid AND m.flags & ? | ? = m.flags)`,
    aid,
    mid,
    keep,
    set,
  )
  const updated = pickedUids(work)
  const modSeq = updated.length === 0 ? row.modSeq : nextModSeq(work, mid)
  if (updated.length > 0) {
    const [unseen, deleted] = sql.get<[number, number]>(
      `SELECT total((m.flags & ?1 | ?2) & 1 = 0) - total(m.flags & 1 = 0),
         total((m.flags & ?1 | ?2) & 8 <> 0) - total(m.flags & 8 <> 0)
       FROM picked p CROSS JOIN message m ON m.aid = ?3 AND m.mid = ?4 AND m.uid = p.uid`,
      keep,
      set,
      aid,
      mid,
    ) ?? [0, 0]
    sql.run(
      `UPDATE message SET flags = flags & ? | ?, modseq = ?
       WHERE aid = ? AND mid = ? AND uid IN (SELECT uid FROM picked)`,
      keep,
      set,
      modSeq,
      aid,
      mid,
    )
    count(work, { mid, modSeq, sign: 1, messages: 0, unseen, deleted, bytes: 0 })
  }
  return { kind: 'setFlags', updated, modSeq: modSeqOf(modSeq), failed }
}

/** RFC 7162 §3.1.3: rows changed after `since` stay as they are; returns their UIDs. */
function dropChanged(work: AccountWork, mid: number, since: bigint): Uint32Array {
  const rows = work.sql.all<[number]>(
    `DELETE FROM picked WHERE EXISTS (SELECT 1 FROM message m WHERE m.aid = ? AND m.mid = ?
     AND m.uid = picked.uid AND m.modseq > ?) RETURNING uid`,
    work.aid,
    mid,
    since,
  )
  return Uint32Array.from(rows, ([uid]) => uid).sort()
}
