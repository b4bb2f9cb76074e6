import { CR, LF, bufferOf, concatOctets, equalOctets, fromLatin1 } from '#base/octets.ts'
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
  let inHeader = true
  let last = LF // as if a line had just ended
  let column = 0
  for await (const octets of pieces(content)) {
    for (let at = 0; at < octets.length; at++) {
      const octet = octets[at]!
      if (octet === LF) {
        if (last !== CR) binary = true
        else if (column === 0) inHeader = false
        column = 0
      } else {
        if (last === CR || octet === 0) binary = true
        if (octet >= 0x80) {
          eightBit = true
          if (inHeader) eightBitHeader = true
        }
        if (octet !== CR) column++
      }
      last = octet
    }
  }
  if (last === CR) binary = true
  return { eightBit, eightBitHeader, binary }
}

/** The content as DATA carries it: leading dots doubled, ended by CRLF.CRLF (RFC 5321 §4.5.2). */
export async function* stuffed(content: ContentSource): AsyncGenerator<Octets> {
  let atLineStart = true
  let tail: Octets = CRLF // an empty content ends at once
  for await (const octets of pieces(content)) {
    yield stuff(octets, atLineStart)
    tail = octets.length > 1 ? octets.slice(-2) : concatOctets([tail.slice(-1), octets])
    atLineStart = tail.at(-1) === LF
  }
  yield fromLatin1(equalOctets(tail, CRLF) ? '.\r\n' : '\r\n.\r\n')
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
