import { SEEN } from '#model/mailbox.ts'
import { keywordBits } from './keywords.ts'
import { changeableIn } from './permission.ts'
import { noteFlags } from './script-event.ts'
import { pick, pickedUids, count } from '#store/mailbox/rows/pick.ts'
import { modSeqOf, nextModSeq } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import { seenOf, setSeen } from '#store/mailbox/rows/seen.ts'
import type { Reader } from '#store/mailbox/rows/seen.ts'
import type { ChangeResult, MailboxChange } from '#store/mailbox/commit.ts'

type FlagsChange = Extract<MailboxChange, { kind: 'setFlags' }>

const ALL_FLAGS = 2 ** 32 - 1

/** Sets, adds or removes flags. A row that has them already keeps its MODSEQ. */
export function setFlags(work: AccountWork, row: Mailbox, change: FlagsChange): ChangeResult {
  const { sql, aid } = work
  const { mid } = row
  const mask = changeableIn(work, mid)
  const named = keywordBits(work, row, {
    keywords: mask > 31 ? change.keywords : [],
    allocate: change.mode !== 'remove',
  })
  const reader = work.by === undefined ? undefined : { sql, aid, mid, who: work.by }
  // The \Seen of who is not the owner is theirs alone, and no column of the message.
  const shared = reader === undefined ? mask : and(mask, ALL_FLAGS - SEEN)
  const bits = and((change.flags & 31) + named, shared)
  // new = old & keep | set
  const keep = {
    add: ALL_FLAGS,
    remove: ALL_FLAGS - bits,
    replace: ALL_FLAGS - shared,
  }[change.mode]
  const set = change.mode === 'remove' ? 0 : bits
  pick(work, mid, change.uids)
  const failed =
    change.unchangedSince === undefined
      ? new Uint32Array(0)
      : dropChanged(work, mid, change.unchangedSince)
  const read = (mask & SEEN) === 0 ? undefined : reader && readBy(reader, pickedUids(work), change)
  sql.run(
    `DELETE FROM picked WHERE EXISTS (SELECT 1 FROM message m WHERE m.aid = ? AND m.mid = ?
     AND m.uid = picked.uid AND m.flags & ? | ? = m.flags)`,
    aid,
    mid,
    keep,
    set,
  )
  if (read !== undefined) {
    setSeen(reader!, read.uids, read.isSeen)
    sql.run(
      'INSERT OR IGNORE INTO picked SELECT value FROM json_each(?)',
      JSON.stringify(Array.from(read.uids)),
    )
  }
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
    noteFlags(work, mid, { keep, set })
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

/**
 * Messages of which the change turns the reader's \Seen. They get a MODSEQ like all that change, so that
 * the reader's other programs are told; everybody else is told of flags that are as they were.
 */
function readBy(
  reader: Reader,
  uids: Uint32Array,
  { mode, flags }: FlagsChange,
): { readonly uids: Uint32Array; readonly isSeen: boolean } | undefined {
  const isNamed = (flags & SEEN) !== 0
  if (mode !== 'replace' && !isNamed) return undefined
  const isSeen = mode !== 'remove' && isNamed
  const seen = seenOf(reader, uids)
  if (!isSeen) return { uids: seen, isSeen }
  let at = 0
  return { uids: uids.filter((uid) => seen[at] !== uid || at++ < 0), isSeen }
}

const and = (a: number, b: number): number => (a & b) >>> 0

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
