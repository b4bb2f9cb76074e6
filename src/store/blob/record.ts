import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'

/*
 * A record of a segment, integers little-endian:
 *
 *   "WREC" | version u8 | codec u8 | head size u16 | content length u64 | 0 u32 | CRC-32 of the head so far
 *   content
 *   CRC-32 of the content | first 16 octets of its SHA-256 | "WEND"
 *
 * Codec 0: the content as it is; 1: a zstd frame of several contents (block.ts); 2: a note of what the
 * contents before it are for, which no row names and which is read where the rows are lost; 3: the rows
 * of a commit, which a start puts into a database that has lost it (store/journal/redo.ts).
 */
const RECORD_MAGIC = Buffer.from('WREC')
const END_MAGIC = Buffer.from('WEND')
const RECORD_MAGIC_NUMBER = RECORD_MAGIC.readUInt32LE()
const END_MAGIC_NUMBER = END_MAGIC.readUInt32LE()
const RECORD_VERSION = 1
export const HEAD_BYTES = 24
export const TRAILER_BYTES = 24
const HASH_BYTES = 16

/** Version, codec and length of a raw record's head. */
const PLAIN_HEAD = RECORD_VERSION + HEAD_BYTES * 2 ** 16

const CODECS = ['raw', 'zstd', 'note', 'redo'] as const
export type Codec = (typeof CODECS)[number]

export const recordBytes = (length: number): number => HEAD_BYTES + length + TRAILER_BYTES

export function recordHead(length: number, codec: Codec = 'raw'): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  RECORD_MAGIC.copy(head)
  head[4] = RECORD_VERSION
  head[5] = CODECS.indexOf(codec)
  head.writeUInt16LE(HEAD_BYTES, 6)
  head.writeBigUInt64LE(BigInt(length), 8)
  head.writeUInt32LE(crc32(head.subarray(0, HEAD_BYTES - 4)), HEAD_BYTES - 4)
  return head
}

/** How long the content is, and what it is. Throws Fault `corrupt`, or `version` for a record of a later program. */
export function readHead(
  head: Octets,
  where: string,
): { readonly length: number; readonly codec: Codec } {
  const octets = bufferOf(head)
  if (
    octets.length < HEAD_BYTES ||
    octets.readUInt32LE(0) !== RECORD_MAGIC_NUMBER ||
    octets.readUInt32LE(HEAD_BYTES - 4) !== crc32(octets.subarray(0, HEAD_BYTES - 4))
  )
    throw new Fault('corrupt', `${where}: no whole record begins here`)
  if (octets[4] !== RECORD_VERSION)
    throw new Fault('version', `${where}: record of version ${octets[4]}, not ${RECORD_VERSION}`)
  const codec = CODECS[octets[5] ?? CODECS.length]
  if (codec === undefined)
    throw new Fault(
      'version',
      `${where}: record of codec ${octets[5]}, which this program does not know`,
    )
  return { length: Number(octets.readBigUInt64LE(8)), codec }
}

/**
 * The content of the raw record of that length at `at`: what its head says is known, so that nothing but the
 * content's CRC is made of it. Throws Fault as `readHead` and `checkTrailer` do.
 */
export function contentAt(octets: Buffer, at: number, length: number, where: string): Octets {
  const from = at + HEAD_BYTES
  const end = from + length
  const isWhole =
    octets.length >= end + TRAILER_BYTES &&
    octets.readUInt32LE(at) === RECORD_MAGIC_NUMBER &&
    octets.readUInt32LE(at + 4) === PLAIN_HEAD &&
    octets.readUInt32LE(at + 8) === length &&
    octets.readUInt32LE(at + 12) === 0
  if (!isWhole) return otherContent(octets.subarray(at, end + TRAILER_BYTES), length, where)
  const content = octets.subarray(from, end)
  if (
    octets.readUInt32LE(end) !== crc32(content) ||
    octets.readUInt32LE(end + TRAILER_BYTES - 4) !== END_MAGIC_NUMBER
  )
    throw new Fault('corrupt', `${where}: the content fails its CRC`)
  return content
}

/** Of any codec; says what is wrong with it. */
function otherContent(record: Buffer, length: number, where: string): Octets {
  if (readHead(record, where).length !== length)
    throw new Fault('corrupt', `${where}: the record is not as long as its row says`)
  const content = record.subarray(HEAD_BYTES, HEAD_BYTES + length)
  checkTrailer(record.subarray(HEAD_BYTES + length), crc32(content), where)
  return content
}

/** The trailer of content that came as `crc` and `sha256` (whole or prefix). */
export function recordTrailer(crc: number, sha256: Octets): Buffer {
  const trailer = Buffer.alloc(TRAILER_BYTES)
  trailer.writeUInt32LE(crc, 0)
  trailer.set(sha256.subarray(0, HASH_BYTES), 4)
  END_MAGIC.copy(trailer, TRAILER_BYTES - 4)
  return trailer
}

/** Throws Fault `corrupt` unless the trailer belongs to the content. */
export function checkTrailer(trailer: Octets, crc: number, where: string): void {
  const octets = bufferOf(trailer)
  if (
    octets.length < TRAILER_BYTES ||
    octets.readUInt32LE(TRAILER_BYTES - 4) !== END_MAGIC_NUMBER ||
    octets.readUInt32LE(0) !== crc
  )
    throw new Fault('corrupt', `${where}: the content fails its CRC`)
}

/** Head, content and trailer as buffers for one gathered write; the content is not copied. */
export function recordOf(parts: readonly Octets[], length: number, codec: Codec = 'raw'): Buffer[] {
  const content = parts.map(bufferOf)
  const whole = content.length === 1 ? content[0]! : Buffer.concat(content)
  const trailer = recordTrailer(crc32(whole), hash('sha256', whole, 'buffer'))
  return [recordHead(length, codec), whole, trailer]
}
