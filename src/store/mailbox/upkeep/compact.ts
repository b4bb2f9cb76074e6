import { failpoint } from '#base/failpoint.ts'
import { isLost } from '#base/outcome.ts'
import { emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import { BLOCK_BYTES_MAX, packBlock } from '#store/blob/block.ts'
import type { Block } from '#store/blob/block.ts'
import type { BlobRef, Blobs } from '#store/blob/blobs.ts'
import type { GroupCommit } from '#store/db/group-commit.ts'
import { blobColumns, blobFrom } from '#store/mailbox/rows/content.ts'
import { chooseSegments, forgetSegments, noteBlock } from './segment-book.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

export interface CompactionParts {
  readonly sql: Sql
  readonly blobs: Blobs
  readonly group: GroupCommit
  readonly clock: Clock
  /** Segments with what cannot be read: rewritten once, and left alone from then on. */
  readonly damagedFiles: Set<number>
  readonly isClosing: () => boolean
}

export interface Compacted {
  /** Segments that nothing names any more; their room comes back when no reader can be in them. */
  readonly emptied: readonly number[]
  /** Contents that moved, and those that could not be read. */
  readonly moved: number
  readonly damaged: number
}

/** Rows read at once: what a delivery that comes meanwhile has to wait for. */
const ROWS_AT_ONCE = 1_000
/** Contents of one commit, which waits for others to join it: everybody has a turn before the next. */
const COMMIT_BYTES = 1024 * 1024

type Part = keyof typeof COLUMNS

/** One content that a row names. */
interface Named {
  readonly aid: number
  readonly eid: number
  readonly kind: number
  readonly file: number
  readonly offset: number
  readonly length: number
  /** Other rows that name the same octets. */
  readonly sharers: { readonly aid: number; readonly eid: number }[]
}

interface Packed {
  readonly block: Block
  readonly rows: readonly Named[]
}

/**
 * Copies what is left of some segments into blocks, each of one account's contents compressed
 * together, in the order in which they came. Octets are durable before a row names them; a crash at
 * any place leaves every row with octets behind it, and at most some that no row names.
 */
export async function compact(parts: CompactionParts): Promise<Compacted> {
  const { sql, blobs, damagedFiles } = parts
  forgetSegments(sql, new Set(blobs.sealed().map(({ file }) => file)))
  const { files, level } = await chooseSegments(
    sql,
    blobs.sealed().filter(({ file }) => !damagedFiles.has(file)),
    parts.clock.nowMs(),
  )
  const result = { moved: 0, damaged: 0 }
  if (files.length === 0) return { emptied: [], ...result }
  for (const part of ['content', 'meta'] as const) {
    const rows = await rowsOf(parts, part, files)
    for (const batch of batchesOf(rows)) {
      if (parts.isClosing()) return { emptied: [], ...result }
      const packed: Packed[] = []
      for (const block of batch) {
        const { whole, damaged } = await readAll(blobs, block)
        for (const { file } of damaged) damagedFiles.add(file)
        result.damaged += damaged.length
        if (whole.length === 0) continue
        const contents = whole.map(({ octets }) => octets)
        packed.push({ block: await packBlock(contents), rows: whole.map(({ row }) => row) })
      }
      result.moved += await write(parts, part, packed, level)
    }
  }
  return { emptied: files.filter((file) => !damagedFiles.has(file)), ...result }
}

const COLUMNS = {
  content: ['kind', 'file', 'offset', 'length'],
  meta: ['meta_kind', 'meta_file', 'meta_offset', 'meta_length'],
} as const

/** All contents of the segments that rows name, by account and age; each place once. */
async function rowsOf(
  { sql, isClosing }: CompactionParts,
  part: Part,
  files: readonly number[],
): Promise<Named[]> {
  const [kindName, fileName, offsetName, lengthName] = COLUMNS[part]
  const rows: Named[] = []
  for (const file of files)
    for (const kind of [0, 2]) {
      const places = new Map<number, Named>()
      let [aid, eid] = [0, 0]
      for (let more = true; more && !isClosing();) {
        const found = sql.all<[number, number, number, number]>(
          `SELECT aid, eid, ${offsetName}, ${lengthName} FROM email
           WHERE ${kindName} = ? AND ${fileName} = ? AND (aid, eid) > (?, ?)
           ORDER BY aid, eid LIMIT ${ROWS_AT_ONCE}`,
          kind,
          file,
          aid,
          eid,
        )
        for (const row of found) {
          ;[aid, eid] = row
          const [, , offset, length] = row
          // Octets that several rows share move once, into the block of the first.
          const first = places.get(offset)
          if (first !== undefined) {
            first.sharers.push({ aid, eid })
            continue
          }
          const named = { aid, eid, kind, file, offset, length, sharers: [] }
          places.set(offset, named)
          rows.push(named)
        }
        more = found.length === ROWS_AT_ONCE
        await new Promise<void>((next) => setImmediate(next))
      }
    }
  return rows.sort((a, b) => a.aid - b.aid || a.eid - b.eid)
}

/** Blocks of one account each, as many as one commit takes. */
function* batchesOf(rows: readonly Named[]): Generator<Named[][]> {
  let batch: Named[][] = []
  let batchBytes = 0
  let block: Named[] = []
  let blockBytes = 0
  const close = (): void => {
    if (block.length > 0) batch.push(block)
    batchBytes += blockBytes
    ;[block, blockBytes] = [[], 0]
  }
  for (const row of rows) {
    if (
      block.length > 0 &&
      (block[0]!.aid !== row.aid || blockBytes + row.length > BLOCK_BYTES_MAX)
    )
      close()
    if (batchBytes >= COMMIT_BYTES) {
      yield batch
      ;[batch, batchBytes] = [[], 0]
    }
    block.push(row)
    blockBytes += row.length
  }
  close()
  if (batch.length > 0) yield batch
}

const refOf = ({ kind, file, offset, length }: Named): BlobRef =>
  blobFrom([kind, file, offset, length])

/** What can be read; a damaged content stays where it is, and costs no other. */
async function readAll(
  blobs: Blobs,
  rows: readonly Named[],
): Promise<{
  readonly whole: readonly { readonly row: Named; readonly octets: Octets }[]
  readonly damaged: readonly Named[]
}> {
  try {
    const whole = rows.map((row) => ({ row, octets: emptyOctets }))
    await blobs.readEach(rows.map(refOf), (octets, index) => {
      whole[index]!.octets = Uint8Array.from(octets)
    })
    return { whole, damaged: [] }
  } catch (thrown) {
    if (!isLost(thrown)) throw thrown
  }
  const whole: { row: Named; octets: Octets }[] = []
  const damaged: Named[] = []
  for (const row of rows)
    try {
      whole.push({ row, octets: await blobs.read(refOf(row), 0, row.length) })
    } catch (thrown) {
      if (!isLost(thrown)) throw thrown
      damaged.push(row)
    }
  return { whole, damaged }
}

async function write(
  { sql, blobs, group }: CompactionParts,
  part: Part,
  packed: readonly Packed[],
  level: number,
): Promise<number> {
  let placed: readonly (readonly BlobRef[])[] = []
  const moved = await group.commit({
    patient: true,
    stage: () => {
      placed = packed.map(({ block }) => blobs.appendBlock(block))
    },
    apply: () => {
      let count = 0
      for (const [index, { block, rows }] of packed.entries()) {
        const refs = placed[index]!
        noteBlock(sql, refs[0]!.file, { rawBytes: sumOf(block), level })
        for (const [at, row] of rows.entries()) count += rename(sql, part, row, refs[at]!)
      }
      return count
    },
  })
  if (failpoint('mailbox.compacted') === 'hang') await new Promise(() => undefined)
  return moved
}

const sumOf = ({ parts }: Block): number => parts.reduce((sum, { length }) => sum + length, 0)

/** All rows that name those octets name the new ones. */
function rename(sql: Sql, part: Part, row: Named, ref: BlobRef): number {
  const [kindName, fileName, offsetName] = COLUMNS[part]
  const [kind, file, offset] = blobColumns(ref)
  let count = 0
  for (const { aid, eid } of [row, ...row.sharers])
    count += sql.run(
      `UPDATE email SET ${kindName} = ?, ${fileName} = ?, ${offsetName} = ?
     WHERE ${kindName} = ? AND ${fileName} = ? AND ${offsetName} = ? AND aid = ? AND eid = ?`,
      kind,
      file,
      offset,
      row.kind,
      row.file,
      row.offset,
      aid,
      eid,
    )
  return count
}
