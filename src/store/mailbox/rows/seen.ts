import type { AccountId } from '#model/account.ts'
import { SEEN } from '#model/mailbox.ts'
import type { Sql } from './sql.ts'

/*
 * \Seen of those who are not the owner: to each of them it is theirs alone. A row holds a bit for each
 * of 4,096 UIDs, so that a million messages are 245 rows and a change of one of them is one row of
 * 512 octets; `reader` counts the bits, all of them of messages that are there.
 */
const CHUNK_UIDS = 4_096
const CHUNK_BYTES = CHUNK_UIDS / 8

export interface Readers {
  readonly sql: Sql
  readonly aid: number
  readonly mid: number
}

/** What one of them has read. */
export interface Reader extends Readers {
  readonly who: AccountId
}

/** Messages of the mailbox that the reader has read. */
export const seenCount = ({ sql, aid, mid, who }: Reader): number =>
  sql.get<[number]>(
    'SELECT seen FROM reader WHERE aid = ? AND mid = ? AND who = ?',
    aid,
    mid,
    who,
  )?.[0] ?? 0

/** Those of the UIDs, which ascend, that the reader has read. */
export function seenOf(reader: Reader, uids: Uint32Array): Uint32Array {
  const seen = uids.slice()
  let count = 0
  for (const { bits, from, to } of chunksOf(reader, uids))
    if (bits !== undefined)
      for (let at = from; at < to; at++) if (isSet(bits, uids[at]!)) seen[count++] = uids[at]!
  return seen.slice(0, count)
}

/** Flags of rows as the reader has them; `uids` ascend. */
export function flagsFor(
  reader: Reader,
  { uids, flags }: { readonly uids: Uint32Array; readonly flags: Uint32Array },
): Uint32Array {
  const own = new Uint32Array(flags.length)
  for (let at = 0; at < flags.length; at++) own[at] = (flags[at]! & ~SEEN) >>> 0
  for (const { bits, from, to } of chunksOf(reader, uids))
    if (bits !== undefined)
      for (let at = from; at < to; at++) if (isSet(bits, uids[at]!)) own[at]! |= SEEN
  return own
}

/** Sets or takes away the reader's \Seen of messages that are there; `uids` ascend. */
export function setSeen(reader: Reader, uids: Uint32Array, isSeen: boolean): void {
  const { sql, aid, mid, who } = reader
  let changed = 0
  for (const { chunk, bits = new Uint8Array(CHUNK_BYTES), from, to } of chunksOf(reader, uids)) {
    let here = 0
    for (let at = from; at < to; at++) {
      if (isSet(bits, uids[at]!) === isSeen) continue
      bits[byteOf(uids[at]!)]! ^= bitOf(uids[at]!)
      here++
    }
    if (here === 0) continue
    changed += here
    if (!isSeen && bits.every((byte) => byte === 0))
      sql.run(
        'DELETE FROM seen WHERE aid = ? AND mid = ? AND who = ? AND chunk = ?',
        aid,
        mid,
        who,
        chunk,
      )
    else sql.run('INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)', aid, mid, who, chunk, bits)
  }
  if (changed > 0)
    sql.run(
      `INSERT INTO reader VALUES (?, ?, ?, ?)
       ON CONFLICT (aid, mid, who) DO UPDATE SET seen = max(0, seen + excluded.seen)`,
      aid,
      mid,
      who,
      isSeen ? changed : -changed,
    )
}

/** All who have read something in the mailbox. */
const readersOf = ({ sql, aid, mid }: Readers): Reader[] =>
  sql
    .all<[AccountId]>('SELECT who FROM reader WHERE aid = ? AND mid = ?', aid, mid)
    .map(([who]) => ({ sql, aid, mid, who }))

/** The messages are no more: nobody has read them. */
export function forgetSeen(readers: Readers, uidsOf: () => Uint32Array): void {
  const all = readersOf(readers)
  if (all.length === 0) return
  const uids = uidsOf()
  for (const reader of all) setSeen(reader, uids, false)
}

/** Copies are read by whoever has read what they are copies of; both lists ascend. */
export function carrySeen(
  from: Readers,
  to: Readers,
  moved: {
    readonly sources: Uint32Array
    readonly targets: Uint32Array
    readonly carries: (who: AccountId) => boolean
  },
): void {
  for (const reader of readersOf(from)) {
    if (!moved.carries(reader.who)) continue
    const seen = seenOf(reader, moved.sources)
    let at = 0
    const uids = moved.targets.filter((_, index) => moved.sources[index] === seen[at] && ++at > 0)
    setSeen({ ...to, who: reader.who }, uids, true)
  }
}

/** Counts the bits anew; true where a count was wrong, and is right now. */
export function recountSeen(readers: Readers): boolean {
  const { sql, aid, mid } = readers
  let wasWrong = false
  for (const { who } of readersOf(readers)) {
    let seen = 0
    for (const [bits] of sql.iterate<[Uint8Array]>(
      'SELECT bits FROM seen WHERE aid = ? AND mid = ? AND who = ?',
      aid,
      mid,
      who,
    ))
      for (let byte of bits) for (; byte !== 0; byte &= byte - 1) seen++
    wasWrong =
      sql.run(
        'UPDATE reader SET seen = ?1 WHERE aid = ?2 AND mid = ?3 AND who = ?4 AND seen <> ?1',
        seen,
        aid,
        mid,
        who,
      ) > 0 || wasWrong
  }
  return wasWrong
}

interface Chunk {
  readonly chunk: number
  /** Absent where none of its UIDs was read. */
  readonly bits: Uint8Array | undefined
  /** Where its UIDs begin and end in what was asked. */
  readonly from: number
  readonly to: number
}

function* chunksOf({ sql, aid, mid, who }: Reader, uids: Uint32Array): Generator<Chunk> {
  for (let from = 0; from < uids.length;) {
    const chunk = Math.floor(uids[from]! / CHUNK_UIDS)
    let to = from + 1
    while (to < uids.length && uids[to]! < (chunk + 1) * CHUNK_UIDS) to++
    const [bits] = sql.get<[Uint8Array]>(
      'SELECT bits FROM seen WHERE aid = ? AND mid = ? AND who = ? AND chunk = ?',
      aid,
      mid,
      who,
      chunk,
    ) ?? [undefined]
    yield { chunk, bits, from, to }
    from = to
  }
}

const byteOf = (uid: number): number => (uid % CHUNK_UIDS) >>> 3
const bitOf = (uid: number): number => 1 << (uid & 7)
const isSet = (bits: Uint8Array, uid: number): boolean => (bits[byteOf(uid)]! & bitOf(uid)) !== 0
