/** Octets that are kept together. A larger record has a chunk of its own. */
const CHUNK_BYTES = 1024 * 1024
const OFFSET_BITS = 20
const CHUNKS_MAX = 2 ** (32 - OFFSET_BITS)
/** Whose record it is, and how many octets follow. */
const HEADER_BYTES = 8
/** Of the length: the octets are UTF-16, else Latin-1. Either is a text as it lies, where UTF-8 has to be worked out. */
const WIDE = 0x8000_0000
/** Where no record is. */
const NOWHERE = 0xffff_ffff

/** What a heap is made of, as a snapshot keeps it. */
export interface HeapParts {
  /** The place of each number's record. */
  readonly places: Uint32Array
  /** What is written of each chunk; undefined: a chunk that is free. Never changed below its length. */
  readonly chunks: readonly (Buffer | undefined)[]
}

interface Chunk {
  readonly octets: Buffer
  used: number
  /** Octets of records that are still somebody's. */
  live: number
}

/**
 * Records by number, outside of the heap of JavaScript: half a million rows are a hundred blocks to its
 * garbage collector. A chunk of which half is out of date is emptied into the last one and goes.
 *
 *     chunk   | number u32 | wide 1 bit, length 31 | octets … | number u32 | wide, length | octets … | free
 *     place   chunk number << 20 | offset
 */
export class RecordHeap {
  #places: Uint32Array
  readonly #chunks: (Chunk | undefined)[] = []
  readonly #freeChunks: number[] = []
  #last = -1

  constructor(parts?: HeapParts) {
    this.#places = parts?.places ?? new Uint32Array(64).fill(NOWHERE)
    for (const octets of parts?.chunks ?? []) {
      if (octets === undefined) this.#freeChunks.push(this.#chunks.length)
      this.#chunks.push(octets && { octets, used: octets.length, live: 0 })
    }
    if (parts === undefined) return
    for (const place of this.#places) {
      if (place === NOWHERE) continue
      const chunk = this.#chunks[place >>> OFFSET_BITS]!
      chunk.live += sizeAt(chunk.octets, offsetOf(place))
    }
  }

  /** As it stands; changes after this call are not seen. */
  parts(): HeapParts {
    return {
      places: this.#places.slice(),
      chunks: this.#chunks.map((chunk) => chunk?.octets.subarray(0, chunk.used)),
    }
  }

  /** Numbers are below this. */
  get end(): number {
    return this.#places.length
  }

  has(number: number): boolean {
    return number < this.#places.length && this.#places[number] !== NOWHERE
  }

  /** The text that is kept under this number; undefined: none. */
  text(number: number): string | undefined {
    const place = number < this.#places.length ? this.#places[number]! : NOWHERE
    if (place === NOWHERE) return undefined
    const { octets } = this.#chunks[place >>> OFFSET_BITS]!
    const offset = offsetOf(place)
    const start = offset + HEADER_BYTES
    const at = offset + 4 // read here: a call and its checks cost as much as a hash
    const top = octets[at + 3]!
    const length =
      octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | ((top & 0x7f) << 24)
    return octets.toString(top < 0x80 ? 'latin1' : 'utf16le', start, start + length)
  }

  /** Keeps the text under this number, in the place of what was there. */
  put(number: number, text: string): void {
    this.delete(number)
    if (number >= this.#places.length) {
      const places = new Uint32Array(Math.max(number + 1, 2 * this.#places.length)).fill(NOWHERE)
      places.set(this.#places)
      this.#places = places
    }
    const isWide = NOT_LATIN.test(text)
    const length = isWide ? 2 * text.length : text.length
    const { chunk, place } = this.#room(HEADER_BYTES + length)
    const offset = offsetOf(place)
    chunk.octets.writeUInt32LE(number, offset)
    chunk.octets.writeUInt32LE((isWide ? length | WIDE : length) >>> 0, offset + 4)
    chunk.octets.write(text, offset + HEADER_BYTES, length, isWide ? 'utf16le' : 'latin1')
    this.#places[number] = place
  }

  delete(number: number): void {
    if (!this.has(number)) return
    const place = this.#places[number]!
    this.#places[number] = NOWHERE
    const index = place >>> OFFSET_BITS
    const chunk = this.#chunks[index]!
    chunk.live -= sizeAt(chunk.octets, offsetOf(place))
    if (index !== this.#last && 2 * chunk.live < chunk.used) this.#empty(index)
  }

  #empty(index: number): void {
    const { octets, used } = this.#chunks[index]!
    for (let offset = 0; offset < used; offset += sizeAt(octets, offset)) {
      const number = octets.readUInt32LE(offset)
      if (this.#places[number] !== placeOf(index, offset)) continue
      const size = sizeAt(octets, offset)
      const { chunk, place } = this.#room(size)
      octets.copy(chunk.octets, offsetOf(place), offset, offset + size)
      this.#places[number] = place
    }
    this.#chunks[index] = undefined
    this.#freeChunks.push(index)
  }

  /** Room for a record of this size, which counts as its owner's from now on. */
  #room(size: number): { readonly chunk: Chunk; readonly place: number } {
    let chunk = this.#chunks[this.#last]
    if (chunk === undefined || chunk.used + size > chunk.octets.length) {
      const before = this.#last
      this.#last = this.#freeChunks.pop() ?? this.#chunks.length
      if (this.#last >= CHUNKS_MAX) throw new Error('the directory is too large for its memory')
      const octets = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, size))
      chunk = { octets, used: 0, live: 0 }
      this.#chunks[this.#last] = chunk
      const full = this.#chunks[before]
      if (full !== undefined && 2 * full.live < full.used) return this.#emptied(before, size)
    }
    const place = placeOf(this.#last, chunk.used)
    chunk.used += size
    chunk.live += size
    return { chunk, place }
  }

  /** What was rewritten again and again while it was the last one is looked at when it is no more. */
  #emptied(index: number, size: number): { readonly chunk: Chunk; readonly place: number } {
    this.#empty(index)
    return this.#room(size)
  }
}

const placeOf = (chunk: number, offset: number): number => ((chunk << OFFSET_BITS) | offset) >>> 0

const offsetOf = (place: number): number => place & (2 ** OFFSET_BITS - 1)

const sizeAt = (octets: Buffer, offset: number): number =>
  HEADER_BYTES + (octets.readUInt32LE(offset + 4) & ~WIDE)

const NOT_LATIN = /[^\u0000-\u00ff]/
