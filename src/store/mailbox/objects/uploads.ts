import { HOUR_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { BlobRef } from '#store/blob/blobs.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** Octets that a program has sent and that are no message yet. */
export interface KeptUpload {
  readonly type: string
  readonly sizeBytes: number
}

/** RFC 8620 §6: an hour at least. */
export const UPLOAD_KEPT_MS = 2 * HOUR_MS
/** However small they are: each is a file. */
const UPLOADS_PER_ACCOUNT_MAX = 1_000

/** False where it is larger than all that the account may have; else its oldest ones give way (RFC 8620 §6). */
export function keepUpload(
  work: AccountWork,
  ask: {
    readonly id: string
    readonly type: string
    readonly ref: BlobRef
    readonly bytesMax: number
  },
): boolean {
  const { id, type, ref, bytesMax } = ask
  if (ref.length > bytesMax) return false
  const { sql, aid } = work
  const own = sql.all<[string, number]>(
    'SELECT id, length FROM upload WHERE aid = ? ORDER BY file',
    aid,
  )
  let bytes = own.reduce((sum, [, length]) => sum + length, ref.length)
  for (const [index, [oldest, length]] of own.entries()) {
    if (bytes <= bytesMax && own.length - index < UPLOADS_PER_ACCOUNT_MAX) break
    bytes -= length
    work.files.push(...deleteUpload(sql, aid, oldest))
  }
  sql.run(
    'INSERT INTO upload (aid, id, type, file, length, made_at) VALUES (?, ?, ?, ?, ?, ?)',
    aid,
    id,
    type,
    ref.file,
    ref.length,
    work.nowMs,
  )
  return true
}

/** Only to the account that sent it. */
export function findUpload(
  sql: Sql,
  { accountId, id }: { readonly accountId: AccountId; readonly id: string },
): (KeptUpload & { readonly ref: BlobRef }) | undefined {
  const row = sql.get<[string, number, number]>(
    `SELECT u.type, u.file, u.length FROM account a JOIN upload u ON u.aid = a.aid AND u.id = ?
     WHERE a.id = ?`,
    id,
    accountId,
  )
  return row && { type: row[0], sizeBytes: row[2], ref: largeRef(row[1], row[2]) }
}

/** Deletes some that are old enough; their files. */
export const tidyUploads = (sql: Sql, nowMs: number, atOnce: number): BlobRef[] =>
  sql
    .all<[number, string]>(
      'SELECT aid, id FROM upload WHERE made_at < ? LIMIT ?',
      nowMs - UPLOAD_KEPT_MS,
      atOnce,
    )
    .flatMap(([aid, id]) => deleteUpload(sql, aid, id))

export const hasUploads = (sql: Sql): boolean =>
  sql.get('SELECT 1 FROM upload LIMIT 1') !== undefined

/** All of an account; their files. */
export const deleteUploads = (sql: Sql, aid: number): BlobRef[] =>
  sql
    .all<[number, number]>('DELETE FROM upload WHERE aid = ? RETURNING file, length', aid)
    .map((row) => largeRef(...row))

const deleteUpload = (sql: Sql, aid: number, id: string): BlobRef[] =>
  sql
    .all<[number, number]>(
      'DELETE FROM upload WHERE aid = ? AND id = ? RETURNING file, length',
      aid,
      id,
    )
    .map((row) => largeRef(...row))

const largeRef = (file: number, length: number): BlobRef => ({
  kind: 'large',
  file,
  offset: 0,
  length,
})
