import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { crc32, zstdDecompressSync } from 'node:zlib'
import { Fault } from '#base/outcome.ts'
import { ioFault } from '#store/db/fault.ts'
import { emptyBits } from './bits.ts'
import type { Bits } from './bits.ts'
import type { KeyRange } from './grams.ts'
import { EntryReader } from './posting.ts'
import { decodeIndex, FOOTER_BYTES, indexLength } from './segment-index.ts'
import type { BlockPlace, SegmentIndex } from './segment-index.ts'

/** A document is some 4 MB at most, as it was decoded and folded. */
const BLOCK_BYTES_MAX = 64 * 1024 * 1024

/** Documents of one block, by their numbers. */
export interface DocumentBlock {
  readonly first: number
  readonly documents: readonly Buffer[]
}

/** An immutable file of documents and postings. Every read is checked; throws Fault `corrupt`, `io`. */
export class Segment {
  readonly path: string
  readonly index: SegmentIndex
  readonly sizeBytes: number
  readonly #fd: number

  constructor(path: string) {
    this.path = path
    try {
      this.#fd = openSync(path, 'r')
    } catch (thrown) {
      throw ioFault(thrown, path)
    }
    try {
      this.sizeBytes = fstatSync(this.#fd).size
      const footerAt = this.sizeBytes - FOOTER_BYTES
      if (footerAt < 0) throw new Fault('corrupt', `${path}: the segment is cut short`)
      const footer = this.#read(footerAt, FOOTER_BYTES)
      const length = indexLength(footer, path)
      if (length > footerAt) throw new Fault('corrupt', `${path}: the segment is cut short`)
      this.index = decodeIndex(this.#read(footerAt - length, length), footer, path)
    } catch (thrown) {
      this.close()
      throw thrown
    }
  }

  get count(): number {
    return this.index.emails.length
  }

  /** Documents with a gram in the range. */
  lookup({ from, to }: KeyRange): Bits {
    const bits = emptyBits(this.count)
    const blocks = this.index.postingBlocks
    let at = Math.max(0, lastNotAbove(blocks, from))
    for (; at < blocks.length && blocks[at]!.first < to; at++) {
      const reader = new EntryReader(this.#block(blocks[at]!))
      while (reader.next()) {
        if (reader.key >= to) break
        if (reader.key >= from) reader.addTo(bits)
      }
    }
    return bits
  }

  /** All entries by key: for a merge. */
  *entries(): Generator<EntryReader> {
    for (const place of this.index.postingBlocks) {
      const reader = new EntryReader(this.#block(place))
      while (reader.next()) yield reader
    }
  }

  get documentBlocks(): number {
    return this.index.documentBlocks.length
  }

  /** The block that holds a document. */
  blockOf(document: number): number {
    return lastNotAbove(this.index.documentBlocks, document)
  }

  documentsOf(block: number): DocumentBlock {
    const place = this.index.documentBlocks[block]!
    let octets: Buffer
    try {
      const block = this.#block(place)
      // In one piece: pieces cost more than their octets.
      const chunkSize = Math.min(BLOCK_BYTES_MAX, block.readUInt32LE(0) + 64)
      const limits = { chunkSize, maxOutputLength: BLOCK_BYTES_MAX }
      octets = zstdDecompressSync(block.subarray(4), limits)
    } catch (cause) {
      throw new Fault('corrupt', `${this.path}: a block does not decompress`, { cause })
    }
    let at = 0
    const number = (): number => {
      let value = 0
      let unit = 1
      for (;;) {
        const byte = octets[at++]!
        value += (byte & 0x7f) * unit
        if (byte < 0x80) return value
        unit *= 0x80
      }
    }
    const lengths = Array.from({ length: number() }, number)
    const documents = lengths.map((length) => octets.subarray(at, (at += length)))
    return { first: place.first, documents }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #block(place: BlockPlace): Buffer {
    const octets = this.#read(place.offset, place.length)
    if (crc32(octets) !== place.crc)
      throw new Fault('corrupt', `${this.path}: a block at ${place.offset} fails its CRC`)
    return octets
  }

  #read(offset: number, length: number): Buffer {
    const octets = Buffer.allocUnsafeSlow(length)
    let at = 0
    try {
      while (at < length) {
        const read = readSync(this.#fd, octets, at, length - at, offset + at)
        if (read === 0) throw new Fault('corrupt', `${this.path}: the segment is cut short`)
        at += read
      }
    } catch (thrown) {
      throw ioFault(thrown, this.path)
    }
    return octets
  }
}

/** The last place whose first is not above the value; -1 where all are. */
function lastNotAbove(places: readonly BlockPlace[], value: number): number {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (places[middle]!.first <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}
