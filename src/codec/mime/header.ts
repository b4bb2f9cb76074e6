import { CR, LF, bufferOf, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import type { OctetRange } from '#model/message.ts'

/** Octets of one header that are looked at. */
export const HEADER_BYTES_MAX = 1_048_576

/** One field of a header block; text holds one character an octet. */
export interface HeaderField {
  /** As it stood, white space before the colon cut off. */
  readonly name: string
  /** The name in lower case. */
  readonly key: string
  /** Unfolded and trimmed; NUL, bare CR and LF are blanks. */
  readonly value: string
  /** The whole field within the block, its line ends included. */
  readonly range: OctetRange
}

/**
 * The fields of a header block in order, up to its blank line or its end. Lines that are no field
 * (an mbox `From ` line, garbage) are left out together with their continuations. Lines may end
 * in CRLF or bare LF. RFC 5322 §2.2, RFC 5322 §4.5 (white space before the colon).
 */
export function* headerFields(block: Octets): Generator<HeaderField> {
  let at = 0
  while (at < block.length) {
    const first = block[at]
    if (first === LF || (first === CR && block[at + 1] === LF)) return
    const end = fieldEnd(block, at)
    const colon = nameEnd(block, at, end)
    if (colon > 0) {
      const name = toLatin1(block.subarray(at, colon)).trimEnd()
      yield {
        name,
        key: asciiLower(name),
        value: unfold(toLatin1(block.subarray(colon + 1, end))),
        range: { offset: at, length: end - at },
      }
    }
    at = end
  }
}

/** The value of the first field of this lower-case name. */
export function firstField(fields: readonly HeaderField[], key: string): string | undefined {
  return fields.find((field) => field.key === key)?.value
}

/** Octets of the header block, its blank line included; all of it where there is no blank line. */
export function headerLength(octets: Octets): number {
  let at = 0
  while (at < octets.length) {
    if (octets[at] === LF) return at + 1
    if (octets[at] === CR && octets[at + 1] === LF) return at + 2
    const lf = bufferOf(octets).indexOf(LF, at)
    if (lf < 0) return octets.length
    at = lf + 1
  }
  return octets.length
}

/** True where the line begins like a field: a name of RFC 5322 §2.2, then a colon. */
export const startsField = (line: Octets): boolean => nameEnd(line, 0, line.length) > 0

/** Joins folded lines and takes out what cannot stand in one line (RFC 5322 §2.2.3). */
const unfold = (raw: string): string =>
  trimBlanks(raw.replace(/\r?\n(?=[ \t])/g, '').replace(/[\0\r\n]+/g, ' '))

/** By hand: `[ \t]+$` takes quadratic time on a long run of blanks inside. */
function trimBlanks(text: string): string {
  const isBlank = (at: number): boolean => text[at] === ' ' || text[at] === '\t'
  let from = 0
  let end = text.length
  while (from < end && isBlank(from)) from++
  while (end > from && isBlank(end - 1)) end--
  return text.slice(from, end)
}

function fieldEnd(block: Octets, from: number): number {
  const buffer = bufferOf(block)
  let at = from
  for (;;) {
    const lf = buffer.indexOf(LF, at)
    if (lf < 0) return block.length
    const next = block[lf + 1]
    if (next !== 0x20 && next !== 0x09) return lf + 1
    at = lf + 1
  }
}

/** Offset of the colon after a name, or -1. */
function nameEnd(block: Octets, from: number, end: number): number {
  let at = from
  while (at < end && block[at]! > 0x20 && block[at]! < 0x7f && block[at] !== 0x3a) at++
  if (at === from) return -1
  while (at < end && (block[at] === 0x20 || block[at] === 0x09)) at++
  return at < end && block[at] === 0x3a ? at : -1
}
