import type { AccountId } from '#model/account.ts'
import type { BlobRef } from '#store/blob/blobs.ts'
import { deleteEmail } from '#store/mailbox/rows/content.ts'
import { ROWS_AT_ONCE } from '#store/mailbox/rows/sql.ts'
import type { PurgeStep } from './purge.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { deleteUploads } from '#store/mailbox/objects/uploads.ts'

export interface KeepAsk {
  /** Those that the directory has. */
  readonly accountIds: readonly AccountId[]
  /** Those of which it has told that they were removed. */
  readonly removedIds: readonly AccountId[]
}

export interface Kept {
  /** Marked for `purge`. */
  readonly removed: number
  /** Neither there nor told to be removed: the copy of the directory is old or not whole, so they stay. */
  readonly unknown: number
}

/** Marks accounts that were removed, from now on; any other is an account again. */
export function markRemoved(sql: Sql, ask: KeepAsk, nowMs: number): Kept {
  const known = new Set(ask.accountIds)
  const removed = new Set(ask.removedIds.filter((id) => !known.has(id)))
  let unknown = 0
  let marked = 0
  for (const [aid, id, at] of sql.all<[number, AccountId, number | null]>(
    'SELECT aid, id, removed_at FROM account',
  )) {
    const isRemoved = removed.has(id)
    if (isRemoved) marked++
    else if (!known.has(id)) unknown++
    if (isRemoved !== (at !== null))
      sql.run('UPDATE account SET removed_at = ? WHERE aid = ?', isRemoved ? nowMs : null, aid)
  }
  return { removed: marked, unknown }
}

/** An account that was removed before the time. */
export const removedAccount = (sql: Sql, beforeMs: number): number | undefined =>
  sql.get<[number]>('SELECT aid FROM account WHERE removed_at < ? LIMIT 1', beforeMs)?.[0]

/** Tables whose rows of an account go at the end, together with its own. The outbox's stay until they are done. */
const SMALL = [
  'mailbox',
  'kept_view',
  'gone_mailbox',
  'subscription',
  'acl',
  'seen',
  'reader',
  'script',
  'object',
  'object_state',
] as const
const KEYED = {
  thread: 'key',
  dup: 'delivery_id',
  memory: 'key',
  junk_report: 'eid',
  script_event: 'seq',
} as const

/** Deletes some rows of the account; `isDone` once nothing of it is left. */
export function removeStep(
  sql: Sql,
  aid: number,
): Pick<PurgeStep, 'rows' | 'files'> & { readonly isDone: boolean } {
  for (const table of ['message', 'gone'] as const) {
    const found = sql.all<[number, number, number | null]>(
      `SELECT mid, uid, eid FROM ${table} WHERE aid = ? LIMIT ${ROWS_AT_ONCE}`,
      aid,
    )
    if (found.length === 0) continue
    for (const [mid, uid] of found)
      sql.run(`DELETE FROM ${table} WHERE aid = ? AND mid = ? AND uid = ?`, aid, mid, uid)
    const files: BlobRef[] = found.flatMap(([, , eid]) =>
      eid === null ? [] : deleteEmail(sql, aid, eid),
    )
    return { rows: found.length, files, isDone: false }
  }
  for (const [table, key] of Object.entries(KEYED)) {
    const rows = sql.run(
      `DELETE FROM ${table} WHERE aid = ?1 AND ${key} IN
         (SELECT ${key} FROM ${table} WHERE aid = ?1 LIMIT ${ROWS_AT_ONCE})`,
      aid,
    )
    if (rows > 0) return { rows: 0, files: [], isDone: false }
  }
  forgetGrantee(sql, aid)
  const files = deleteUploads(sql, aid)
  for (const table of SMALL) sql.run(`DELETE FROM ${table} WHERE aid = ?`, aid)
  sql.run('DELETE FROM account WHERE aid = ?', aid)
  return { rows: 0, files, isDone: true }
}

/** What others had granted to the account, and what it had read of theirs. */
function forgetGrantee(sql: Sql, aid: number): void {
  const [who] = sql.get<[AccountId]>('SELECT id FROM account WHERE aid = ?', aid) ?? []
  if (who === undefined) return
  sql.run('DELETE FROM acl WHERE who IN (?, ?)', who, `-${who}`)
  sql.run(
    `DELETE FROM seen WHERE (aid, mid, who) IN
       (SELECT aid, mid, who FROM reader INDEXED BY reader_who WHERE who = ?)`,
    who,
  )
  sql.run('DELETE FROM reader WHERE who = ?', who)
}
