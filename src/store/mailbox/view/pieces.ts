import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault, isLost } from '#base/outcome.ts'
import type { Blobs, BlobRef } from '#store/blob/blobs.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'
import { PIECES_MAX, PIECE_STATES } from '#store/mailbox/message-pieces.ts'
import type { PieceRecords, Unread } from '#store/mailbox/message-pieces.ts'
import { blobFrom } from '#store/mailbox/rows/content.ts'
import { CONTENT_COLUMNS, placeOf } from './messages.ts'
import type { Ask, ContentRow } from './messages.ts'
import type { Source } from './source.ts'
import { readableRows } from './readable.ts'

interface PiecesAsk extends Ask {
  readonly uids: Uint32Array
  readonly offsets: Float64Array
  readonly lengths: Uint32Array
}

/** One piece: octets of the prefix, and what is wanted of the content behind it. */
interface Piece {
  readonly head: Octets
  readonly content?: Content
}

interface Content {
  readonly ref: BlobRef
  readonly offset: number
  readonly length: number
}

/** Octets of many messages, one row look-up for all and one read for those that lie side by side. */
export async function readPieces(source: Source, ask: PiecesAsk): Promise<PieceRecords> {
  const { uids, lengths } = ask
  const bytes = lengths.reduce((sum, length) => sum + length, 0)
  if (uids.length > PIECES_MAX || bytes > READ_BYTES_MAX)
    throw new Fault('limit', `at most ${PIECES_MAX} pieces of ${READ_BYTES_MAX} octets at once`)
  const rows = rowsOf(source, ask)
  const pieces = Array.from(uids, (uid, index) => {
    const row = rows.get(uid)
    return row && pieceOf(row, ask.offsets[index]!, lengths[index]!)
  })
  return (await readWhole(source.blobs, pieces)) ?? readEachAlone(source.blobs, pieces)
}

function rowsOf(source: Source, ask: PiecesAsk): ReadonlyMap<number, ContentRow> {
  const place = placeOf(source.sql, ask)
  if (place === undefined) return new Map()
  const rows = readableRows<ContentRow>(source, {
    place,
    uids: ask.uids,
    columns: CONTENT_COLUMNS,
  })
  return new Map(rows.map((row) => [row[0], row]))
}

function pieceOf(row: ContentRow, offset: number, length: number): Piece {
  const [, , kind, file, at, size, stored] = row
  const prefix = stored ?? emptyOctets
  const end = Math.min(offset + length, prefix.length + size)
  const head = prefix.length === 0 ? emptyOctets : prefix.subarray(offset, end)
  const from = Math.max(offset, prefix.length)
  if (from >= end) return { head }
  const ref = blobFrom([kind, file, at, size])
  return { head, content: { ref, offset: from - prefix.length, length: end - from } }
}

/** All pieces, each copied once from where it was read to; undefined where one cannot be read. */
async function readWhole(
  blobs: Blobs,
  pieces: readonly (Piece | undefined)[],
): Promise<PieceRecords | undefined> {
  const ends = new Uint32Array(pieces.length)
  let end = 0
  for (const [index, piece] of pieces.entries()) {
    end += (piece?.head.length ?? 0) + (piece?.content?.length ?? 0)
    ends[index] = end
  }
  const octets = Buffer.allocUnsafeSlow(end)
  const put = (index: number, content: Octets): void => {
    octets.set(content, ends[index]! - content.length)
  }
  const records: number[] = []
  const alone: number[] = []
  for (const [index, piece] of pieces.entries()) {
    const { content } = piece ?? {}
    if (piece !== undefined && piece.head.length > 0)
      octets.set(piece.head, index === 0 ? 0 : ends[index - 1]!)
    // A record is read whole, since only the whole has a CRC; of a file of its own that is too much.
    if (content !== undefined) (content.ref.kind === 'large' ? alone : records).push(index)
  }
  const contentOf = (index: number): Content => pieces[index]!.content!
  const readRecords = blobs.readEach(
    records.map((index) => contentOf(index).ref),
    (whole, n) => {
      const { offset, length } = contentOf(records[n]!)
      put(records[n]!, length === whole.length ? whole : whole.subarray(offset, offset + length))
    },
  )
  const readAlone = alone.map(async (index) => {
    const { ref, offset, length } = contentOf(index)
    put(index, await blobs.read(ref, offset, length))
  })
  try {
    await Promise.all([readRecords, ...readAlone])
  } catch (thrown) {
    if (isLost(thrown)) return undefined
    throw thrown
  }
  const states = Uint8Array.from(pieces, (piece) => (piece === undefined ? GONE : READ))
  return { octets, ends, states }
}

/** The same where some cannot be read: each for itself. */
async function readEachAlone(
  blobs: Blobs,
  pieces: readonly (Piece | undefined)[],
): Promise<PieceRecords> {
  const parts: Octets[] = []
  const ends = new Uint32Array(pieces.length)
  const states = new Uint8Array(pieces.length)
  let end = 0
  for (const [index, piece] of pieces.entries()) {
    const octets = piece === undefined ? 'gone' : await readOne(blobs, piece)
    states[index] = typeof octets === 'string' ? PIECE_STATES.indexOf(octets) : READ
    if (typeof octets !== 'string') {
      parts.push(octets)
      end += octets.length
    }
    ends[index] = end
  }
  return { octets: Buffer.concat(parts), ends, states }
}

async function readOne(blobs: Blobs, { head, content }: Piece): Promise<Octets | Unread> {
  if (content === undefined) return head
  try {
    const body = await blobs.read(content.ref, content.offset, content.length)
    return concatOctets([head, body])
  } catch (thrown) {
    if (!isLost(thrown)) throw thrown
    return isFault(thrown, 'io') ? 'unread' : 'damaged'
  }
}

const READ = PIECE_STATES.indexOf('read')
const GONE = PIECE_STATES.indexOf('gone')
