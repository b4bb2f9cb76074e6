import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { contentDecoder } from '#codec/mime/content-decoder.ts'
import type { Blob } from '#server/jmap/email/source.ts'

const PIECE_BYTES = 256 * 1024
/** What is as it lies there: a range of it is read without what is before. */
const PLAIN: readonly string[] = ['7bit', '8bit', 'binary']

/** Of the octets that a blob is, its transfer encoding undone. */
export interface Range {
  readonly offset: number
  /** Absent: to the end. */
  readonly length?: number | undefined
}

/** What one call may read of blobs, over all of them. */
export class ReadBudget {
  #left: number
  readonly #spent: () => Error

  /** `spent` makes what is thrown when it is used up. */
  constructor(bytes: number, spent: () => Error) {
    this.#left = bytes
    this.#spent = spent
  }

  take(bytes: number): void {
    this.#left -= bytes
    if (this.#left < 0) throw this.#spent()
  }
}

/**
 * Hands over the octets of the range in pieces. Returns whether the range goes on behind the blob's end.
 * Throws Fault `notFound` where its octets are gone.
 */
export async function readRange(
  blob: Blob,
  { offset, length = Infinity }: Range,
  {
    budget,
    take,
  }: { readonly budget: ReadBudget; readonly take: (octets: Octets) => Promise<void> | void },
): Promise<{ readonly isTruncated: boolean }> {
  const decoder = contentDecoder(blob.encoding)
  const end = offset + length
  let read = PLAIN.includes(blob.encoding) ? Math.min(offset, blob.length) : 0
  let at = read
  const takeFrom = async (octets: Octets): Promise<number> => {
    const some = octets.subarray(Math.max(0, offset - at), Math.max(0, end - at))
    if (some.length > 0) await take(some)
    return octets.length
  }
  while (read < blob.length && at < end) {
    const bytes = Math.min(PIECE_BYTES, blob.length - read)
    budget.take(bytes)
    const octets = await blob.source.read(blob.offset + read, bytes)
    if (octets.length === 0) throw new Fault('notFound', 'the octets are gone')
    read += octets.length
    at += await takeFrom(decoder.push(octets))
  }
  if (at < end) at += await takeFrom(decoder.end())
  return { isTruncated: at < offset || (end !== Infinity && at < end) }
}

/** Octets of the whole, its transfer encoding undone. */
export async function sizeOf(blob: Blob, budget: ReadBudget): Promise<number> {
  if (PLAIN.includes(blob.encoding)) return blob.length
  let size = 0
  const take = ({ length }: Octets): void => void (size += length)
  await readRange(blob, { offset: 0 }, { budget, take })
  return size
}
