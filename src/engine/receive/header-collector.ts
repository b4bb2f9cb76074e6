import { concatOctets, CR, emptyOctets, LF, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { headerLength, startsField } from '#codec/mime/header.ts'

/** Octets of a message header that are taken; more is refused. */
export const HEADER_BYTES_MAX = 1_048_576
/** So much of a first line tells whether it is a field. */
const FIRST_LINE_BYTES_MAX = 1_000

/** A message's header and what came with it; `header` holds its blank line where there is one. */
export interface Split {
  readonly header: Octets
  readonly rest: Octets
  /** The message begins with its body: no field stands in front of it. */
  readonly isBodyOnly: boolean
}

/** Holds back the beginning of a message until its header is whole. */
export class HeaderCollector {
  #held = Buffer.alloc(4_096)
  #length = 0
  /** Begin of the first line whose end is not known yet. */
  #line = 0
  /** No line ends before here but those that are known: octets that come one by one are looked at once. */
  #seen = 0
  /** The first line may be a field's. */
  #isHeader = false

  /**
   * The header once it is whole; 'tooLarge' where it has more than HEADER_BYTES_MAX, its blank line
   * included, however the octets are cut; undefined: go on.
   */
  feed(octets: Octets): Split | 'tooLarge' | undefined {
    this.#grow(this.#length + octets.length)
    this.#held.set(octets, this.#length)
    this.#length += octets.length
    const held = this.#held.subarray(0, this.#length)
    if (!this.#isHeader) {
      const lf = held.indexOf(LF, this.#seen)
      if (lf >= 0 || held.length >= FIRST_LINE_BYTES_MAX) {
        if (!mayBeHeader(lf < 0 ? held : held.subarray(0, lf + 1)))
          return { header: emptyOctets, rest: held, isBodyOnly: true }
        this.#isHeader = true
      }
    }
    for (;;) {
      const lf = held.indexOf(LF, this.#seen)
      if (lf < 0) break
      const isBlank = lf === this.#line || (lf === this.#line + 1 && held[this.#line] === CR)
      this.#line = this.#seen = lf + 1
      if (isBlank) return lf + 1 > HEADER_BYTES_MAX ? 'tooLarge' : split(held, lf + 1)
    }
    this.#seen = held.length
    return held.length > HEADER_BYTES_MAX ? 'tooLarge' : undefined
  }

  /** The message ended: what there is, is header or body. */
  finish(): Split {
    const held = this.#held.subarray(0, this.#length)
    if (held.length > 0 && !mayBeHeader(held)) {
      return { header: emptyOctets, rest: held, isBodyOnly: true }
    }
    return split(held, headerLength(held))
  }

  #grow(length: number): void {
    if (length <= this.#held.length) return
    const larger = Buffer.alloc(Math.max(length, this.#held.length * 2))
    this.#held.copy(larger, 0, 0, this.#length)
    this.#held = larger
  }
}

const split = (held: Octets, at: number): Split => ({
  header: held.subarray(0, at),
  rest: held.subarray(at),
  isBodyOnly: false,
})

/** A field, an mbox line, or the blank line at once. */
const mayBeHeader = (line: Octets): boolean =>
  startsField(line) || /^(?:>?From |\r?\n)/.test(toLatin1(line.subarray(0, 6)))

/** The header without the stretches of `ranges`, in order. */
export function without(
  header: Octets,
  ranges: readonly { readonly offset: number; readonly length: number }[],
): Octets {
  if (ranges.length === 0) return header
  const kept: Octets[] = []
  let at = 0
  for (const range of ranges) {
    kept.push(header.subarray(at, range.offset))
    at = range.offset + range.length
  }
  return concatOctets([...kept, header.subarray(at)])
}
