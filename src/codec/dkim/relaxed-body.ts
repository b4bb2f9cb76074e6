import { bufferOf, CR, emptyOctets, fromLatin1, LF } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

const SPACE = 0x20
const TAB = 0x09
/** Line ends that are copied with all else. */
const FEW_LINES = 16
/** Blank lines that are given out at once: a body of nothing else takes no more memory. */
const BLANK_LINES = 1_024
const CRLFS = Buffer.alloc(2 * BLANK_LINES, '\r\n')

/**
 * A body in its relaxed form (RFC 6376 §3.4.4), however it is cut; `give` is handed octets that are
 * its own only during the call. Only CRLF ends a line: a CR or LF alone is an octet like any other.
 */
export class RelaxedBody {
  readonly #give: (octets: Octets) => void
  #out = Buffer.alloc(0)
  #isEmpty = true
  /** A CR at the end of what came. */
  #isAfterCr = false
  /** White space that counts only if something follows it in its line. */
  #isAfterBlank = false
  /** Line ends that count only if something follows them in the body. */
  #lines = 0

  constructor(give: (octets: Octets) => void) {
    this.#give = give
  }

  feed(octets: Octets): void {
    const relaxed = this.#isAfterCr || this.#isAfterBlank ? 0 : relaxedLength(bufferOf(octets))
    if (relaxed > 0) {
      this.#giveAll(emptyOctets, this.#lines)
      this.#lines = 0
      this.#isEmpty = false
      this.#give(octets.subarray(0, relaxed))
    }
    this.#relax(octets.subarray(relaxed))
  }

  #relax(octets: Octets): void {
    // Each octet gives one at most, beside what was held back.
    const capacity = octets.length + 2 * FEW_LINES + 2
    if (this.#out.length < capacity) this.#out = Buffer.alloc(capacity)
    const out = this.#out
    let used = 0
    let isAfterCr = this.#isAfterCr
    let isAfterBlank = this.#isAfterBlank
    let lines = this.#lines
    for (let at = 0; at < octets.length; at++) {
      const octet = octets[at]!
      if (isAfterCr && octet === LF) {
        isAfterCr = isAfterBlank = false
        lines++
      } else if (!isAfterCr && (octet === SPACE || octet === TAB)) isAfterBlank = true
      else if (!isAfterCr && octet === CR) isAfterCr = true
      else {
        // What was held back counts, since something follows it.
        if (lines > FEW_LINES) {
          this.#giveAll(out.subarray(0, used), lines)
          lines = used = 0
        }
        for (; lines > 0; lines--) {
          out[used++] = CR
          out[used++] = LF
        }
        if (isAfterBlank) out[used++] = SPACE
        isAfterBlank = false
        if (isAfterCr) {
          isAfterCr = false
          out[used++] = CR
          at-- // looked at once more, for itself
        } else out[used++] = octet
      }
    }
    this.#isAfterCr = isAfterCr
    this.#isAfterBlank = isAfterBlank
    this.#lines = lines
    if (used === 0) return
    this.#isEmpty = false
    this.#give(out.subarray(0, used))
  }

  /** The end: blank lines are left out, and what is not empty ends with CRLF. */
  finish(): void {
    if (this.#isAfterCr) {
      this.#giveAll(emptyOctets, this.#lines)
      this.#give(fromLatin1(this.#isAfterBlank ? ' \r' : '\r'))
    }
    if (!this.#isEmpty || this.#isAfterCr) this.#give(CRLFS.subarray(0, 2))
  }

  /** The octets, and so many line ends behind them. */
  #giveAll(octets: Octets, lines: number): void {
    if (octets.length > 0) this.#give(octets)
    for (let left = lines; left > 0; left -= BLANK_LINES)
      this.#give(CRLFS.subarray(0, 2 * Math.min(left, BLANK_LINES)))
  }
}

/** How much of it is as it shall be, as base64 is: all but what may be left out at its end. */
function relaxedLength(octets: Buffer): number {
  if (octets.includes(TAB) || octets.includes('  ') || octets.includes(' \r')) return 0
  let end = octets.length
  while (end > 0 && isHeldBack(octets[end - 1]!)) end--
  return end
}

const isHeldBack = (octet: number): boolean => octet === SPACE || octet === CR || octet === LF
