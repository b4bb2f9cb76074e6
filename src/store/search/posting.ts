import type { Bits } from './bits.ts'
import { setBit } from './bits.ts'

/*
 * An entry of a posting block, numbers in groups of seven bits, the lowest first:
 *
 *   key less the one before | documents | of one: the document
 *                                       | of more: octets · 2 + form | octets
 *
 * The octets are each document's distance from the one before (form 0), or a bit for each document
 * of the segment (form 1), whichever is less.
 */

/** Octets that are written one after another into one growing buffer. */
export class Sink {
  #buffer = Buffer.allocUnsafe(65_536)
  length = 0

  reserve(more: number): void {
    if (this.length + more <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe((this.length + more) * 2)
    this.#buffer.copy(grown, 0, 0, this.length)
    this.#buffer = grown
  }

  number(value: number): void {
    this.reserve(10)
    let rest = value
    while (rest >= 0x80) {
      this.#buffer[this.length++] = (rest % 0x80) + 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#buffer[this.length++] = rest
  }

  /** For numbers below 2^31. */
  small(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#buffer[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#buffer[this.length++] = rest
  }

  octets(octets: Uint8Array): void {
    this.reserve(octets.length)
    this.#buffer.set(octets, this.length)
    this.length += octets.length
  }

  /** What was written; valid until the next write. */
  get written(): Buffer {
    return this.#buffer.subarray(0, this.length)
  }
}

const scratch = new Sink()

export function writeEntry(
  sink: Sink,
  keyStep: number,
  list: { readonly documents: Uint32Array; readonly documentCount: number },
): void {
  const { documents, documentCount } = list
  sink.number(keyStep)
  sink.number(documents.length)
  if (documents.length === 1) return sink.number(documents[0]!)
  const bitBytes = (documentCount + 7) >>> 3
  if (documents.length >= bitBytes) return writeBits(sink, documents, bitBytes)
  scratch.length = 0
  scratch.reserve(documents.length * 5)
  let before = -1
  for (const document of documents) {
    scratch.small(document - before - 1)
    before = document
  }
  if (scratch.length >= bitBytes) return writeBits(sink, documents, bitBytes)
  sink.number(scratch.length * 2)
  sink.octets(scratch.written)
}

function writeBits(sink: Sink, documents: Uint32Array, bitBytes: number): void {
  const bytes = new Uint8Array(bitBytes)
  for (const document of documents) bytes[document >>> 3]! |= 1 << (document & 7)
  sink.number(bitBytes * 2 + 1)
  sink.octets(bytes)
}

/** Goes through the entries of a block. */
export class EntryReader {
  readonly #block: Buffer
  #at = 0
  #bodyAt = 0
  #form: 'one' | 'steps' | 'bits' = 'one'
  key = 0
  count = 0

  constructor(block: Buffer) {
    this.#block = block
  }

  /** True where there is another entry; `key` and `count` are its. */
  next(): boolean {
    if (this.#at >= this.#block.length) return false
    this.key += this.#number()
    this.count = this.#number()
    if (this.count === 1) {
      this.#form = 'one'
      this.#bodyAt = this.#at
      this.#number()
      return true
    }
    const length = this.#number()
    this.#form = length % 2 === 1 ? 'bits' : 'steps'
    this.#bodyAt = this.#at
    this.#at += Math.floor(length / 2)
    return true
  }

  /** Adds the entry's documents to a set. */
  addTo(bits: Bits): void {
    const block = this.#block
    if (this.#form === 'bits') {
      for (let at = this.#bodyAt; at < this.#at; at++) {
        const byte = block[at]!
        const first = at - this.#bodyAt
        if (byte !== 0) bits[first >>> 2]! |= byte << ((first & 3) * 8)
      }
      return
    }
    let document = this.#form === 'one' ? 0 : -1
    let value = 0
    let shift = 0
    for (let at = this.#bodyAt; at < this.#at; at++) {
      const byte = block[at]!
      value |= (byte & 0x7f) << shift
      if (byte >= 0x80) {
        shift += 7
        continue
      }
      document += this.#form === 'one' ? value : value + 1
      setBit(bits, document)
      value = 0
      shift = 0
    }
  }

  /** The entry's documents, written from `at` on; returns where they end. */
  copyTo(documents: Uint32Array, from: number): number {
    const block = this.#block
    let to = from
    if (this.#form === 'bits') {
      for (let at = this.#bodyAt; at < this.#at; at++)
        for (let bit = 0, byte = block[at]!; byte !== 0; bit++, byte >>>= 1)
          if ((byte & 1) === 1) documents[to++] = (at - this.#bodyAt) * 8 + bit
      return to
    }
    let document = this.#form === 'one' ? 0 : -1
    let value = 0
    let shift = 0
    for (let at = this.#bodyAt; at < this.#at; at++) {
      const byte = block[at]!
      value |= (byte & 0x7f) << shift
      if (byte >= 0x80) {
        shift += 7
        continue
      }
      document += this.#form === 'one' ? value : value + 1
      documents[to++] = document
      value = 0
      shift = 0
    }
    return to
  }

  #number(): number {
    let value = 0
    let unit = 1
    for (;;) {
      const byte = this.#block[this.#at++]
      if (byte === undefined) return value
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
      unit *= 0x80
    }
  }
}
