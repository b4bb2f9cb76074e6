import type { Uid } from '#model/mailbox.ts'
import type { AccountWork } from './work.ts'

/** Fills table `picked` with those of the UIDs that the mailbox has. */
export function pick(work: AccountWork, mid: number, uids: readonly Uid[] | 'all'): void {
  const { sql, aid } = work
  sql.run('DELETE FROM picked')
  if (uids === 'all')
    sql.run('INSERT INTO picked SELECT uid FROM message WHERE aid = ? AND mid = ?', aid, mid)
  else
    sql.run(
      `INSERT INTO picked SELECT m.uid FROM json_each(?) r CROSS JOIN message m
       WHERE m.aid = ? AND m.mid = ?
       AND m.uid BETWEEN json_extract(r.value, '$[0]') AND json_extract(r.value, '$[1]')`,
      rangesOf(uids),
      aid,
      mid,
    )
}

/** The UIDs as ranges without overlap, in JSON: `1:*` of a large mailbox is one element. */
function rangesOf(uids: readonly Uid[]): string {
  const sorted = Uint32Array.from(uids).sort()
  const ranges: string[] = []
  for (let i = 0; i < sorted.length;) {
    const low = sorted[i]!
    let high = low
    while (++i < sorted.length && sorted[i]! <= high + 1) high = sorted[i]!
    ranges.push(`[${low},${high}]`)
  }
  return `[${ranges.join(',')}]`
}

/** What is picked, ascending. */
export function pickedUids(work: AccountWork): Uint32Array {
  const [count] = work.sql.get<[number]>('SELECT count(*) FROM picked') ?? [0]
  const uids = new Uint32Array(count)
  let at = 0
  for (const [uid] of work.sql.iterate<[number]>('SELECT uid FROM picked ORDER BY uid'))
    uids[at++] = uid
  return uids
}

export interface Tally {
  readonly messages: number
  readonly unseen: number
  readonly deleted: number
  readonly bytes: number
}

/** Counts of what is picked in the mailbox. */
export function tallyPicked(work: AccountWork, mid: number): Tally {
  const [messages, unseen, deleted, bytes] = work.sql.get<[number, number, number, number]>(
    `SELECT count(*), total(flags & 1 = 0), total(flags & 8 <> 0), total(size)
     FROM picked p CROSS JOIN message m ON m.aid = ? AND m.mid = ? AND m.uid = p.uid`,
    work.aid,
    mid,
  ) ?? [0, 0, 0, 0]
  return { messages, unseen, deleted, bytes }
}

/** Adds to the mailbox's counts (`sign` 1) or takes away from them, and raises its MODSEQ and UIDNEXT. */
export function count(
  work: AccountWork,
  change: {
    readonly mid: number
    readonly modSeq: number
    readonly uidNext?: number
    readonly sign: 1 | -1
  } & Tally,
): void {
  const { sign, messages, unseen, deleted, bytes } = change
  work.sql.run(
    `UPDATE mailbox SET modseq = max(modseq, ?), uidnext = max(uidnext, ?),
     messages = messages + ?, unseen = unseen + ?, deleted = deleted + ?, bytes = bytes + ?
     WHERE aid = ? AND mid = ?`,
    change.modSeq,
    change.uidNext ?? 0,
    sign * messages,
    sign * unseen,
    sign * deleted,
    sign * bytes,
    work.aid,
    change.mid,
  )
  work.usedMessages += sign * messages
  work.usedBytes += sign * bytes
}
