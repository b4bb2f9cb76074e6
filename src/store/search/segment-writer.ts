import { closeSync, fdatasyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { constants, crc32, zstdCompressSync } from 'node:zlib'
import { ioFault } from '#store/db/fault.ts'
import { Sink, writeEntry } from './posting.ts'
import { encodeIndex } from './segment-index.ts'
import type { BlockPlace } from './segment-index.ts'

/** Octets of documents that are compressed together, and of entries that are read together. */
const DOCUMENT_BLOCK_BYTES = 49_152
const DOCUMENTS_PER_BLOCK_MAX = 64
const POSTING_BLOCK_BYTES = 16_384
/** Octets that one write hands to the disk. */
const WRITE_BYTES = 1_048_576

/** Measured: level 3 takes a tenth of the octets away, and twice the time. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Writes one segment: all documents, then all postings by key. Nobody sees it before `finish`. */
export class SegmentWriter {
  readonly #path: string
  readonly #fd: number
  #pending: Buffer[] = []
  #pendingBytes = 0
  #offset = 0
  readonly #emails: number[] = []
  readonly #flags: number[] = []
  #packed: Buffer[] = []
  #packedBytes = 0
  #packedFirst = 0
  readonly #documentBlocks: BlockPlace[] = []
  readonly #postingBlocks: BlockPlace[] = []
  #sink = new Sink()
  #sinkFirst = 0
  #lastKey = 0

  /** The path is that of a file to be thrown away. Throws Fault `io`, `full`. */
  constructor(path: string) {
    this.#path = path
    try {
      this.#fd = openSync(path, 'w', 0o600)
    } catch (thrown) {
      throw ioFault(thrown, path)
    }
  }

  get documents(): number {
    return this.#emails.length
  }

  /** Emails come in ascending order. */
  document(email: number, flags: number, octets: Buffer): void {
    this.#emails.push(email)
    this.#flags.push(flags)
    this.#packed.push(octets)
    this.#packedBytes += octets.length
    const isFull = this.#packedBytes >= DOCUMENT_BLOCK_BYTES
    if (isFull || this.#packed.length >= DOCUMENTS_PER_BLOCK_MAX) this.#closePack()
  }

  #closePack(): void {
    if (this.#packed.length === 0) return
    const head = new Sink()
    head.number(this.#packed.length)
    for (const { length } of this.#packed) head.number(length)
    const octets = Buffer.concat([head.written, ...this.#packed])
    const length = Buffer.alloc(4)
    length.writeUInt32LE(octets.length)
    const block = Buffer.concat([length, zstdCompressSync(octets, FAST)])
    this.#documentBlocks.push(this.#block(block, this.#packedFirst))
    this.#packedFirst = this.#emails.length
    this.#packed = []
    this.#packedBytes = 0
  }

  /** Keys come in ascending order, after the last document. */
  posting(key: number, documents: Uint32Array): void {
    if (documents.length === 0) return
    if (this.#sink.length === 0) {
      this.#sinkFirst = key
      this.#lastKey = 0
    }
    const documentCount = this.#emails.length
    writeEntry(this.#sink, key - this.#lastKey, { documents, documentCount })
    this.#lastKey = key
    if (this.#sink.length >= POSTING_BLOCK_BYTES) this.#closePostings()
  }

  #closePostings(): void {
    if (this.#sink.length === 0) return
    this.#postingBlocks.push(this.#block(Buffer.from(this.#sink.written), this.#sinkFirst))
    this.#sink.length = 0
  }

  #block(octets: Buffer, first: number): BlockPlace {
    const place = { first, offset: this.#offset, length: octets.length, crc: crc32(octets) }
    this.#write(octets)
    return place
  }

  #write(octets: Buffer): void {
    this.#pending.push(octets)
    this.#pendingBytes += octets.length
    this.#offset += octets.length
    if (this.#pendingBytes >= WRITE_BYTES) this.#drain()
  }

  #drain(): void {
    const octets = Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    for (let at = 0; at < octets.length;) at += writeSync(this.#fd, octets, at)
  }

  /** Syncs the segment and gives it its name, over one of the same name. Throws Fault `io`, `full`. */
  finish(path: string): void {
    try {
      this.#closePack()
      this.#closePostings()
      const index = encodeIndex({
        emails: Uint32Array.from(this.#emails),
        flags: Uint8Array.from(this.#flags),
        documentBlocks: this.#documentBlocks,
        postingBlocks: this.#postingBlocks,
      })
      this.#write(index)
      this.#drain()
      fdatasyncSync(this.#fd)
      closeSync(this.#fd)
      renameSync(this.#path, path)
    } catch (thrown) {
      throw ioFault(thrown, this.#path)
    }
  }

  /** After a failure: what was written goes. */
  abandon(): void {
    try {
      closeSync(this.#fd)
    } catch {
      // It may be closed already.
    }
    rmSync(this.#path, { force: true })
  }
}
