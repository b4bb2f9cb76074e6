import type { Bits } from './bits.ts'
import { hasBit } from './bits.ts'
import type { EntryReader } from './posting.ts'
import type { Segment } from './segment.ts'
import { SegmentWriter } from './segment-writer.ts'

export interface MergeInput {
  readonly segment: Segment
  /** Documents that are left out. */
  readonly dead?: Bits
}

/**
 * Writes segments that follow one another as one, with its numbers in the same order. `pause` is
 * awaited often, and rejects to give up. Throws Fault `corrupt`, `io`, `full`.
 */
export async function mergeSegments(
  inputs: readonly MergeInput[],
  path: string,
  pause: () => Promise<void>,
): Promise<void> {
  const writer = new SegmentWriter(`${path}.new`)
  try {
    const numbers: Int32Array[] = []
    for (const input of inputs) numbers.push(await copyDocuments(writer, input, pause))
    await copyPostings(writer, { inputs, numbers }, pause)
    writer.finish(path)
  } catch (thrown) {
    writer.abandon()
    throw thrown
  }
}

/** The new number of each document, -1 for what is left out. */
async function copyDocuments(
  writer: SegmentWriter,
  { segment, dead }: MergeInput,
  pause: () => Promise<void>,
): Promise<Int32Array> {
  const numbers = new Int32Array(segment.count).fill(-1)
  const { emails, flags } = segment.index
  for (let block = 0; block < segment.documentBlocks; block++) {
    const { first, documents } = segment.documentsOf(block)
    for (const [index, octets] of documents.entries()) {
      const document = first + index
      if (dead !== undefined && hasBit(dead, document)) continue
      numbers[document] = writer.documents
      writer.document(emails[document]!, flags[document]!, octets)
    }
    await pause()
  }
  return numbers
}

/** Entries between two looks at the clock. */
const ENTRIES_PER_TURN = 256

async function copyPostings(
  writer: SegmentWriter,
  from: { readonly inputs: readonly MergeInput[]; readonly numbers: readonly Int32Array[] },
  pause: () => Promise<void>,
): Promise<void> {
  const cursors = from.inputs.flatMap(({ segment }, index) => {
    const entries = segment.entries()
    const first = entries.next()
    return first.done === true
      ? []
      : [{ entries, entry: first.value, numbers: from.numbers[index]! } satisfies Cursor]
  })
  let open: Cursor[] = cursors
  const total = from.inputs.reduce((sum, { segment }) => sum + segment.count, 0)
  const documents = new Uint32Array(total)
  let turns = 0
  while (open.length > 0) {
    let key = Infinity
    for (const { entry } of open) key = Math.min(key, entry.key)
    let length = 0
    let hasEnded = false
    for (const cursor of open) {
      if (cursor.entry.key !== key) continue
      length = takeEntry(cursor, documents, length)
      const next = cursor.entries.next()
      if (next.done === true) hasEnded = cursor.hasEnded = true
      else cursor.entry = next.value
    }
    writer.posting(key, documents.subarray(0, length))
    if (hasEnded) open = open.filter((cursor) => cursor.hasEnded !== true)
    if (++turns % ENTRIES_PER_TURN === 0) await pause()
  }
}

interface Cursor {
  readonly entries: Generator<EntryReader>
  entry: EntryReader
  readonly numbers: Int32Array
  hasEnded?: boolean
}

/** Adds the entry's documents by their new numbers; returns where they end. */
function takeEntry({ entry, numbers }: Cursor, documents: Uint32Array, from: number): number {
  const end = entry.copyTo(documents, from)
  let to = from
  for (let at = from; at < end; at++) {
    const number = numbers[documents[at]!]!
    if (number >= 0) documents[to++] = number
  }
  return to
}
