import { crc32 } from 'node:zlib'
import { Fault } from '#base/outcome.ts'

/** A run of octets of a segment file, and the first key or document in it. */
export interface BlockPlace {
  readonly first: number
  readonly offset: number
  readonly length: number
  readonly crc: number
}

/** What a segment holds, and where. */
export interface SegmentIndex {
  /** Numbers of its emails, ascending: document n is the nth. */
  readonly emails: Uint32Array
  readonly flags: Uint8Array
  readonly documentBlocks: readonly BlockPlace[]
  readonly postingBlocks: readonly BlockPlace[]
}

/*
 * At the end of a segment, integers little-endian:
 *
 *   emails u32 … | flags u8 … | document blocks | posting blocks |
 *   u32 emails, document blocks, posting blocks | u32 CRC of all that | u32 length of all that | magic
 *
 * A block place is f64 first | f64 offset | u32 length | u32 CRC.
 */
const PLACE_BYTES = 24
const COUNTS_BYTES = 12
export const FOOTER_BYTES = 16
/** Ends with the version of the form and of the folding: a segment of another one is made anew. */
const MAGIC = 'wfts0101'

export function encodeIndex(index: SegmentIndex): Buffer {
  const { emails, flags, documentBlocks, postingBlocks } = index
  const places = documentBlocks.length + postingBlocks.length
  const length = emails.length * 5 + places * PLACE_BYTES + COUNTS_BYTES
  const octets = Buffer.alloc(length + FOOTER_BYTES)
  let at = 0
  for (const email of emails) at = octets.writeUInt32LE(email, at)
  octets.set(flags, at)
  at += flags.length
  for (const place of [...documentBlocks, ...postingBlocks]) {
    at = octets.writeDoubleLE(place.first, at)
    at = octets.writeDoubleLE(place.offset, at)
    at = octets.writeUInt32LE(place.length, at)
    at = octets.writeUInt32LE(place.crc, at)
  }
  for (const count of [emails.length, documentBlocks.length, postingBlocks.length])
    at = octets.writeUInt32LE(count, at)
  octets.writeUInt32LE(crc32(octets.subarray(0, length)), at)
  octets.writeUInt32LE(length, at + 4)
  octets.write(MAGIC, at + 8, 'latin1')
  return octets
}

/** Octets of the index in front of the footer. Throws Fault `corrupt` for what is no segment of this version. */
export function indexLength(footer: Buffer, path: string): number {
  if (footer.length !== FOOTER_BYTES || footer.toString('latin1', 8) !== MAGIC)
    throw new Fault('corrupt', `${path}: no segment of this program's search`)
  return footer.readUInt32LE(4)
}

/** Throws Fault `corrupt`. */
export function decodeIndex(octets: Buffer, footer: Buffer, path: string): SegmentIndex {
  if (crc32(octets) !== footer.readUInt32LE(0))
    throw new Fault('corrupt', `${path}: the segment's index fails its CRC`)
  const counts = octets.length - COUNTS_BYTES
  const emailCount = octets.readUInt32LE(counts)
  const documentCount = octets.readUInt32LE(counts + 4)
  const postingCount = octets.readUInt32LE(counts + 8)
  const emails = Uint32Array.from({ length: emailCount }, (_, i) => octets.readUInt32LE(i * 4))
  const flags = Uint8Array.from(octets.subarray(emailCount * 4, emailCount * 5))
  const placesAt = emailCount * 5
  const place = (index: number): BlockPlace => {
    const at = placesAt + index * PLACE_BYTES
    return {
      first: octets.readDoubleLE(at),
      offset: octets.readDoubleLE(at + 8),
      length: octets.readUInt32LE(at + 16),
      crc: octets.readUInt32LE(at + 20),
    }
  }
  const placesFrom = (from: number, length: number): BlockPlace[] =>
    Array.from({ length }, (_, i) => place(from + i))
  return {
    emails,
    flags,
    documentBlocks: placesFrom(0, documentCount),
    postingBlocks: placesFrom(documentCount, postingCount),
  }
}
