import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { Fault } from '#base/outcome.ts'
import { filesOfVolume, recordAt } from '#store/blob/scan-segment.ts'
import { segmentPath } from '#store/blob/segments.ts'
import type { Database } from '#store/db/database.ts'
import { decodeJournal } from './journal-record.ts'
import type { JournalRecord } from './journal-record.ts'
import { RowWriter } from './replay.ts'

/*
 * A commit is durable by one sync of its segment: octets, then its rows. The database takes its COMMIT
 * without one, so that a power loss leaves it some commits behind; a start makes those again.
 */

type Commit = Extract<JournalRecord, { kind: 'commit' }>

interface Found {
  readonly commit: Commit
  /** All that was written with it can be read. */
  readonly isWhole: boolean
}

interface Standing {
  readonly n: number
  readonly file: number | null
  readonly offset: number
  readonly key: Uint8Array | null
}

/**
 * Puts rows into the database whose COMMIT it has lost; how many commits those were. What it has is
 * durable afterwards. Throws Fault `corrupt` where one of them cannot be read.
 */
export function redoCommits(db: Database, dir: string): number {
  const standing = db
    .query<Standing>(
      'SELECT n, redo_file AS file, redo_offset AS offset, redo_key AS key FROM journal',
    )
    .get()
  if (standing === undefined || standing.file === null || standing.key === null) return 0
  const { n, file, offset, key } = standing
  const lost = behind(n, [...commitsFrom(dir, [file, offset], key)], dir)
  const rows = new RowWriter(db)
  // Each may be made twice: rows are told whole. That they were made is said last.
  for (const commit of lost) rows.write(commit.rows)
  const last = lost.at(-1)
  if (last !== undefined) db.query('UPDATE journal SET n = ?').run(last.n)
  // Who deletes segments from here on deletes nothing that the database could still lose.
  db.checkpoint()
  return lost.length
}

/** Those that were made behind the commit `n`, in order. */
function behind(n: number, found: readonly Found[], dir: string): readonly Commit[] {
  const commits = new Map(found.map(({ commit }) => [commit.n, commit]))
  const last = found.at(-1)
  if (last === undefined) return []
  // Only the last can have been cut off: the one before was durable when it began, and its octets too.
  let at = last.isWhole ? last.commit.n : (last.commit.after ?? 0)
  const made: Commit[] = []
  while (at > n) {
    const commit = commits.get(at)
    if (commit?.after === undefined) break
    made.unshift(commit)
    at = commit.after
  }
  // Above: one that was answered is lost. Below: the database has one that the segments say came to nothing.
  if (at > n || (at < n && made.length > 0))
    throw new Fault('corrupt', `${dir}/seg: the commits behind ${n} cannot be read`)
  return made
}

function* commitsFrom(
  dir: string,
  [first, offset]: readonly [file: number, offset: number],
  key: Uint8Array,
): Generator<Found> {
  let isWhole = true
  for (const file of filesOfVolume(dir).segments) {
    if (file < first) continue
    const from = file === first ? offset : SEGMENT_HEAD_BYTES
    const octets = readFrom(segmentPath(join(dir, 'seg'), file), from)
    for (let at = 0; at >= 0 && at < octets.length;) {
      const record = recordAt(octets, at, `segment ${file} at ${from + at}`)
      if (record === undefined) {
        isWhole = false
        at = octets.indexOf('WREC', at + 1)
        continue
      }
      at = record.end
      if (record.codec !== 'redo' || !record.content.subarray(0, key.length).equals(key)) continue
      const commit = decode(record.content.subarray(key.length))
      if (commit !== undefined) yield { commit, isWhole }
      isWhole = true
    }
    // Zeros behind the last record are none that is missing: what follows in another file was written later.
    isWhole = true
  }
}

/** Where the first record of a segment begins. */
const SEGMENT_HEAD_BYTES = 16
/** Of JSON. */
const BRACE = 0x7b

function decode(content: Buffer): Commit | undefined {
  const json = content[0] === BRACE ? content : zstdDecompressSync(content)
  const record = decodeJournal(json, 'redo')
  return record.kind === 'commit' ? record : undefined
}

function readFrom(path: string, from: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const octets = Buffer.alloc(Math.max(0, fstatSync(fd).size - from))
    let got = 0
    while (got < octets.length) {
      const count = readSync(fd, octets, got, octets.length - got, from + got)
      if (count === 0) break
      got += count
    }
    return octets.subarray(0, got)
  } finally {
    closeSync(fd)
  }
}
