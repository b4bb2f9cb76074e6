import { DAY_MS } from '#base/time.ts'
import type { Blobs } from '#store/blob/blobs.ts'
import { BLOCK_BYTES_MAX } from '#store/blob/block.ts'
import { namesRaw } from '#store/mailbox/rows/named.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

type Sealed = ReturnType<Blobs['sealed']>

/** Segments that are worth rewriting together, and how often what they hold has been rewritten then. */
export interface Choice {
  readonly files: readonly number[]
  readonly level: number
}

/** Records as they came are compressed once there are so many octets, about a full segment, or the oldest is so old. */
const RAW_BYTES = 48 * 1024 * 1024
const RAW_AGE_MS = DAY_MS
/** Octets of one run: what it holds in memory of rows grows with them. */
const RUN_BYTES_MAX = 512 * 1024 * 1024
/** Below this share of what was written a segment is rewritten for its room. */
const LIVE_SHARE_MIN = 0.5
const COUNTED_MS = DAY_MS
const COUNTED_AT_ONCE = 4
/** Blocks that are smaller on average hold few mails of many accounts: more of each come together in time. */
const POOR_BLOCK_BYTES = BLOCK_BYTES_MAX / 4
const POOR_SEGMENTS = 8
const LEVELS_MAX = 3
const ROWS_AT_ONCE = 2_000

interface Row {
  readonly file: number
  readonly rawBytes: number
  readonly blocks: number
  readonly level: number
  readonly liveBytes: number | null
  readonly liveAtMs: number
}

/** What to rewrite next: what is not compressed yet, then what is mostly dead, then what is compressed badly. */
export async function chooseSegments(sql: Sql, sealed: Sealed, nowMs: number): Promise<Choice> {
  const raw = sealed.filter(({ file }) => namesRaw(sql, file))
  const rawBytes = raw.reduce((sum, { bytes }) => sum + bytes, 0)
  const isOld = raw.some(({ writtenAtMs }) => nowMs - writtenAtMs > RAW_AGE_MS)
  if (rawBytes >= RAW_BYTES || isOld) return { files: within(raw), level: 1 }
  const there = new Map(sealed.map((each) => [each.file, each]))
  const rows = book(sql).filter(({ file }) => there.has(file))
  await countLive(sql, rows, nowMs)
  const dead = rows.find(
    ({ liveBytes, rawBytes: written }) =>
      liveBytes !== null && liveBytes < written * LIVE_SHARE_MIN,
  )
  if (dead !== undefined) return { files: [dead.file], level: dead.level }
  for (let level = 1; level <= LEVELS_MAX; level++) {
    const poor = rows.filter(
      (row) => row.level === level && row.rawBytes / row.blocks < POOR_BLOCK_BYTES,
    )
    if (poor.length >= POOR_SEGMENTS)
      return { files: within(poor.map(({ file }) => there.get(file)!)), level: level + 1 }
  }
  return { files: [], level: 1 }
}

/** The oldest of them, as many as one run takes. */
function within(sealed: Sealed): number[] {
  let bytes = 0
  return sealed.filter((each) => (bytes += each.bytes) <= RUN_BYTES_MAX).map(({ file }) => file)
}

const book = (sql: Sql): Row[] =>
  sql
    .all<[number, number, number, number, number | null, number]>(
      'SELECT file, raw_bytes, blocks, level, live_bytes, live_at FROM segment ORDER BY file',
    )
    .map(([file, rawBytes, blocks, level, liveBytes, liveAtMs]) => ({
      file,
      rawBytes,
      blocks,
      level,
      liveBytes,
      liveAtMs,
    }))

/** Counts what rows name in some segments that nobody has counted for a day; the next runs count the others. */
async function countLive(sql: Sql, rows: Row[], nowMs: number): Promise<void> {
  const due = rows.filter(({ liveAtMs }) => Math.abs(nowMs - liveAtMs) > COUNTED_MS)
  for (const row of due.slice(0, COUNTED_AT_ONCE)) {
    const liveBytes = await liveIn(sql, row.file)
    sql.run(
      'UPDATE segment SET live_bytes = ?, live_at = ? WHERE file = ?',
      liveBytes,
      nowMs,
      row.file,
    )
    rows[rows.indexOf(row)] = { ...row, liveBytes, liveAtMs: nowMs }
  }
}

/** Octets of all blocks' contents in the segment that a row names, those that several rows share once. */
async function liveIn(sql: Sql, file: number): Promise<number> {
  let bytes = 0
  for (const [kindName, fileName, offsetName, lengthName] of [
    ['kind', 'file', 'offset', 'length'],
    ['meta_kind', 'meta_file', 'meta_offset', 'meta_length'],
  ]) {
    const places = new Set<number>()
    let [aid, eid] = [0, 0]
    for (let more = true; more;) {
      const found = sql.all<[number, number, number, number]>(
        `SELECT aid, eid, ${offsetName}, ${lengthName} FROM email
         WHERE ${kindName} = 2 AND ${fileName} = ? AND (aid, eid) > (?, ?)
         ORDER BY aid, eid LIMIT ${ROWS_AT_ONCE}`,
        file,
        aid,
        eid,
      )
      for (const [rowAid, rowEid, offset, length] of found) {
        ;[aid, eid] = [rowAid, rowEid]
        if (!places.has(offset)) bytes += length
        places.add(offset)
      }
      more = found.length === ROWS_AT_ONCE
      await new Promise<void>((next) => setImmediate(next))
    }
  }
  return bytes
}

/** A block was written into the segment; in the transaction of the rows that name it. */
export const noteBlock = (
  sql: Sql,
  file: number,
  { rawBytes, level }: { readonly rawBytes: number; readonly level: number },
): number =>
  sql.run(
    `INSERT INTO segment (file, raw_bytes, blocks, level) VALUES (?1, ?2, 1, ?3)
     ON CONFLICT DO UPDATE SET raw_bytes = raw_bytes + ?2, blocks = blocks + 1, level = max(level, ?3)`,
    file,
    rawBytes,
    level,
  )

/** Segments before the last one that are not there any more. */
export function forgetSegments(sql: Sql, sealed: ReadonlySet<number>): void {
  const last = Math.max(0, ...sealed)
  for (const { file } of book(sql))
    if (file < last && !sealed.has(file)) sql.run('DELETE FROM segment WHERE file = ?', file)
}
