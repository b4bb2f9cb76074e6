import { CR, LF, bufferOf, concatOctets, equalOctets, fromLatin1, isAscii } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { ContentSource } from './job.ts'

/** What a peer must be able to carry. */
export interface ContentNeeds {
  /** An octet over 127 anywhere. */
  readonly eightBit: boolean
  /** One in the header (RFC 6532 §3). */
  readonly eightBitHeader: boolean
  /** A CR or LF alone, or a NUL: no line-wise transfer carries it (RFC 3030 §3). */
  readonly binary: boolean
}

const READ_BYTES = 256 * 1024
/** The most that one BDAT carries. */
const CHUNK_BYTES_MAX = 1024 * 1024
const DOT = 0x2e
const CRLF = fromLatin1('\r\n')

/** The content in pieces of at most 256 KiB. Throws Fault `corrupt` where octets are missing. */
export async function* pieces(content: ContentSource): AsyncGenerator<Octets> {
  for (let offset = 0; offset < content.sizeBytes;) {
    const length = Math.min(READ_BYTES, content.sizeBytes - offset)
    const octets = await content.read(offset, length)
    if (octets.length !== length) throw new Fault('corrupt', 'the message is shorter than it was')
    offset += length
    yield octets
  }
}

/** A source that keeps small content in memory, so that looking through it costs no second read. */
export function keepSmall(content: ContentSource): ContentSource {
  if (content.sizeBytes > READ_BYTES) return content
  let whole: Promise<Octets> | undefined
  return {
    sizeBytes: content.sizeBytes,
    async read(offset, length) {
      whole ??= content.read(0, content.sizeBytes)
      return (await whole).subarray(offset, offset + length)
    },
  }
}

/** Looks through the whole content once. */
export async function needsOf(content: ContentSource): Promise<ContentNeeds> {
  let eightBit = false
  let eightBitHeader = false
  let binary = false
  let header: HeaderEnd | undefined = new HeaderEnd()
  let last = LF // as if a line had just ended
  for await (const octets of pieces(content)) {
    const buffer = bufferOf(octets)
    const ascii = isAscii(buffer)
    eightBit ||= !ascii
    if (header !== undefined) {
      const end = header.find(buffer)
      eightBitHeader ||= !ascii && !isAscii(buffer.subarray(0, end))
      if (end !== undefined) header = undefined
    }
    binary ||= hasBinary(buffer, last)
    last = buffer.at(-1) ?? last
  }
  return { eightBit, eightBitHeader, binary: binary || last === CR }
}

/** A NUL, or a CR or LF alone; a CR at the end is left to the next piece. */
function hasBinary(buffer: Buffer, before: number): boolean {
  if (before === CR && buffer[0] !== LF) return true
  for (let at = 0; at < buffer.length; at++) {
    const octet = buffer[at]!
    if (octet > CR) continue // nearly all of them
    if (octet === 0) return true
    if (octet === LF && (at === 0 ? before : buffer[at - 1]) !== CR) return true
    if (octet === CR && at + 1 < buffer.length && buffer[at + 1] !== LF) return true
  }
  return false
}

/** Finds the empty line that ends a header, whether its lines end with CRLF or LF. */
class HeaderEnd {
  #isLineEmpty = true

  /** Where the header ends in this piece, the empty line within; undefined: not in it. */
  find(piece: Buffer): number | undefined {
    let from = 0
    for (let lf = piece.indexOf(LF); lf >= 0; lf = piece.indexOf(LF, from)) {
      if (this.#isLineEmpty && isBlank(piece.subarray(from, lf))) return lf + 1
      this.#isLineEmpty = true
      from = lf + 1
    }
    if (!isBlank(piece.subarray(from))) this.#isLineEmpty = false
    return undefined
  }
}

/** Nothing in it, or CR alone. */
const isBlank = (line: Buffer): boolean => line.every((octet) => octet === CR)

/** The content as DATA carries it: leading dots doubled, ended by CRLF.CRLF (RFC 5321 §4.5.2). */
export async function* stuffed(content: ContentSource): AsyncGenerator<Octets> {
  let tail: Octets = CRLF // an empty content ends at once
  let held: Octets = new Uint8Array(0) // so that the end goes out with the last piece
  for await (const octets of pieces(content)) {
    if (held.length > 0) yield held
    held = stuff(octets, tail.at(-1) === LF)
    tail = octets.length > 1 ? octets.subarray(-2) : concatOctets([tail.subarray(-1), octets])
  }
  yield concatOctets([held, fromLatin1(equalOctets(tail, CRLF) ? '.\r\n' : '\r\n.\r\n')])
}

function stuff(octets: Octets, atLineStart: boolean): Octets {
  const parts: Octets[] = []
  const buffer = bufferOf(octets)
  let from = 0
  if (atLineStart && octets[0] === DOT) parts.push(fromLatin1('.'))
  for (let at = buffer.indexOf('\n.'); at >= 0; at = buffer.indexOf('\n.', at + 1)) {
    parts.push(buffer.subarray(from, at + 1), fromLatin1('.'))
    from = at + 1
  }
  if (parts.length === 0) return octets
  parts.push(buffer.subarray(from))
  return concatOctets(parts)
}

/** How BDAT cuts the content: the sizes of its chunks, the last one LAST; one of none for an empty one. */
export function chunkSizes(sizeBytes: number): readonly number[] {
  const sizes: number[] = []
  for (let left = sizeBytes; left > 0; left -= CHUNK_BYTES_MAX)
    sizes.push(Math.min(left, CHUNK_BYTES_MAX))
  return sizes.length === 0 ? [0] : sizes
}
