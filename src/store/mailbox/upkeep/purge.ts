import type { BlobRef } from '#store/blob/blobs.ts'
import { deleteEmail } from '#store/mailbox/rows/content.ts'
import { ROWS_AT_ONCE } from '#store/mailbox/rows/sql.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

export interface PurgeAsk {
  /** Rows expunged before this time go. */
  readonly beforeMs: number
  /** Where the step before this one ended. */
  readonly from: PurgeCursor
  /** True for a mailbox whose expunged rows a session may still show. */
  readonly isHeld: (aid: number, mid: number) => boolean
}

type PurgeCursor = readonly [goneAt: number, aid: number, mid: number, uid: number]
export const PURGE_START: PurgeCursor = [-1, 0, 0, 0]

export interface PurgeStep {
  readonly rows: number
  /** Files that a deleted row named; another row may name them still. */
  readonly files: readonly BlobRef[]
  /** Absent at the end. */
  readonly next?: PurgeCursor
}

type GoneRow = readonly [...PurgeCursor, modSeq: number, eid: number]

/** Deletes expunged rows, the oldest first, and emails that no row has any more. */
export function purgeStep(sql: Sql, { beforeMs, from, isHeld }: PurgeAsk): PurgeStep {
  const found = sql.all<[...GoneRow]>(
    `SELECT gone_at, aid, mid, uid, modseq, eid FROM gone
     WHERE eid IS NOT NULL AND gone_at < ? AND (gone_at, aid, mid, uid) > (?, ?, ?, ?)
     ORDER BY gone_at, aid, mid, uid LIMIT ${ROWS_AT_ONCE}`,
    beforeMs,
    ...from,
  )
  const rows = found.filter(([, aid, mid]) => !isHeld(aid, mid))
  for (const [, aid, mid, uid] of rows)
    sql.run('DELETE FROM gone WHERE aid = ? AND mid = ? AND uid = ?', aid, mid, uid)
  notePurged(sql, rows)
  const files = rows.flatMap(([, aid, , , , eid]) => deleteEmail(sql, aid, eid))
  const last = found.length < ROWS_AT_ONCE ? undefined : found.at(-1)
  return {
    rows: rows.length,
    files,
    ...(last !== undefined && { next: [last[0], last[1], last[2], last[3]] }),
  }
}

/** Readers from before are told all that is missing; a UID that was given stays given. */
function notePurged(sql: Sql, rows: readonly GoneRow[]): void {
  const mailboxes = Map.groupBy(rows, ([, aid, mid]) => `${aid}/${mid}`)
  for (const group of mailboxes.values()) {
    const [, aid, mid] = group[0]!
    const modSeq = Math.max(...group.map((row) => row[4]))
    const uid = Math.max(...group.map((row) => row[3]))
    const changed = sql.run(
      `UPDATE mailbox SET purged_modseq = max(purged_modseq, ?), purged_uid = max(purged_uid, ?)
       WHERE aid = ? AND mid = ?`,
      modSeq,
      uid,
      aid,
      mid,
    )
    if (changed === 0)
      sql.run(
        `UPDATE gone_mailbox SET purged_modseq = max(purged_modseq, ?) WHERE aid = ? AND mid = ?`,
        modSeq,
        aid,
        mid,
      )
  }
}

/** Forgets deliveries of before that time; true where there may be more. */
export const forgetDeliveries = (sql: Sql, beforeMs: number): boolean =>
  sql.run(
    `DELETE FROM dup WHERE (aid, delivery_id) IN
       (SELECT aid, delivery_id FROM dup WHERE at < ? LIMIT ${ROWS_AT_ONCE})`,
    beforeMs,
  ) === ROWS_AT_ONCE
