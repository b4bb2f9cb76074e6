import { Fault } from '#base/outcome.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { Octets } from '#base/octets.ts'
import type { BlobRef, Blobs } from '#store/blob/blobs.ts'
import { blobColumns, blobFrom } from '#store/mailbox/rows/content.ts'
import type { OutboxEntry, OutboxItem } from '#store/mailbox/commit.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** An entry whose content has its place. */
export interface PlacedEntry {
  readonly entry: OutboxEntry
  readonly ref: BlobRef
}

type StoredEntry = Omit<OutboxItem, 'sizeBytes' | 'releaseAtMs'>

/** In the delivery's own transaction; an id that waits already is the same entry. What is `done` is left out. */
export function addOutbox(
  work: AccountWork,
  placed: readonly PlacedEntry[],
  done: ReadonlySet<string>,
): void {
  const entries = placed.filter(({ entry: { once } }) => once === undefined || !done.has(once))
  if (entries.length === 0) return
  const [accountId] = work.sql.get<[string]>('SELECT id FROM account WHERE aid = ?', work.aid) ?? [
    '',
  ]
  for (const { entry, ref } of entries) {
    const { content: _, once: _once, releaseAtMs = 0, ...rest } = entry
    work.sql.run(
      `INSERT INTO outbox (aid, id, entry, kind, file, offset, length, made_at, release_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      work.aid,
      entry.id,
      JSON.stringify({ ...rest, accountId }),
      ...blobColumns(ref),
      work.nowMs,
      releaseAtMs,
    )
  }
}

/** Nothing of it was sent; throws Refusal `conflict` where something may have been. */
export function withdrawEntry(work: AccountWork, id: string): void {
  const row = work.sql.get<[number, number, number, number]>(
    `DELETE FROM outbox WHERE aid = ? AND id = ? AND release_at > ?
     RETURNING kind, file, offset, length`,
    work.aid,
    id,
    work.nowMs,
  )
  if (row === undefined) throw new Refusal('conflict', 'The mail is on its way')
  const ref = blobFrom(row)
  if (ref.kind === 'large') work.files.push(ref)
}

/** A clock may be put back by so much, as clocks are that run fast. */
const PUT_BACK_MS = 5 * MINUTE_MS
const HELD_BEFORE_ITS_TIME = 'release_at > ?1 AND made_at > ?1 + ?2'

/** Entries that wait, made at a time that is yet to come: the clock has been put back. */
export const isClockPutBack = (sql: Sql, nowMs: number): boolean =>
  sql.get(`SELECT 1 FROM outbox WHERE ${HELD_BEFORE_ITS_TIME} LIMIT 1`, nowMs, PUT_BACK_MS) !==
  undefined

/** Their waits begin anew: else they would last for as long as the clock was ahead. */
export const holdAnew = (sql: Sql, nowMs: number): number =>
  sql.run(
    `UPDATE outbox SET release_at = release_at - made_at + ?1, made_at = ?1 WHERE ${HELD_BEFORE_ITS_TIME}`,
    nowMs,
    PUT_BACK_MS,
  )

export const listOutbox = (
  sql: Sql,
  { limit, nowMs }: { readonly limit: number; readonly nowMs: number },
): OutboxItem[] =>
  sql
    .all<[string, number]>(
      'SELECT entry, length FROM outbox WHERE release_at <= ? ORDER BY seq LIMIT ?',
      nowMs,
      limit,
    )
    .map(([entry, sizeBytes]) => ({ ...(JSON.parse(entry) as StoredEntry), sizeBytes }))

/** Throws Fault `notFound` where the entry is done already. */
export async function readOutbox(
  sql: Sql,
  blobs: Blobs,
  ask: { readonly id: string; readonly offset: number; readonly length: number },
): Promise<Octets> {
  const row = sql.get<[number, number, number, number]>(
    'SELECT kind, file, offset, length FROM outbox WHERE id = ?',
    ask.id,
  )
  if (row === undefined) throw new Fault('notFound', `no outbox entry ${ask.id}`)
  return blobs.read(blobFrom(row), ask.offset, ask.length)
}

/** Forgets entries; returns the large files that they named. */
export const deleteOutbox = (sql: Sql, ids: readonly string[]): BlobRef[] =>
  sql
    .all<[number, number, number, number]>(
      `DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))
       RETURNING kind, file, offset, length`,
      JSON.stringify(ids),
    )
    .map(blobFrom)
    .filter(({ kind }) => kind === 'large')
