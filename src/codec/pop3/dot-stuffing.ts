import { concatOctets, fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

const DOT = 0x2e
const LF = 0x0a
const CR = 0x0d

/**
 * Makes a message a multi-line response (RFC 1939 §3), piece by piece. A line that begins with a dot
 * gets another, also after a bare LF: most clients end lines there, and a lone dot would end the
 * response for them. Nothing else is changed.
 */
export class DotStuffer {
  #last = LF
  #beforeLast = CR

  push(octets: Octets): Octets {
    const parts: Octets[] = []
    let from = 0
    for (let at = octets.indexOf(DOT); at >= 0; at = octets.indexOf(DOT, at + 1)) {
      if ((at === 0 ? this.#last : octets[at - 1]!) !== LF) continue
      parts.push(octets.subarray(from, at + 1))
      from = at // the dot stands twice
    }
    if (octets.length > 0) {
      this.#beforeLast = octets.length > 1 ? octets.at(-2)! : this.#last
      this.#last = octets.at(-1)!
    }
    if (from === 0 && parts.length === 0) return octets
    parts.push(octets.subarray(from))
    return concatOctets(parts)
  }

  /** The end of the response: content that ends without CRLF gets one on the way. */
  end(): Octets {
    const isWhole = this.#last === LF && this.#beforeLast === CR
    return fromLatin1(isWhole ? '.\r\n' : '\r\n.\r\n')
  }
}

/** Cuts a message for TOP: its header, the blank line and `lines` lines more (RFC 1939 §7). */
export class TopCutter {
  #lines: number
  #inHeader = true
  /** Octets of the line so far, none but CR counted. */
  #lineLength = 0

  constructor(lines: number) {
    this.#lines = lines
  }

  /** What of these octets belongs to the answer, and whether that was its end. */
  push(octets: Octets): { readonly octets: Octets; readonly isEnd: boolean } {
    if (!this.#inHeader && this.#lines === 0) return { octets: octets.subarray(0, 0), isEnd: true }
    for (let at = 0; at < octets.length; at++) {
      const octet = octets[at]!
      if (octet !== LF) {
        if (octet !== CR) this.#lineLength++
        continue
      }
      const isBlank = this.#lineLength === 0
      this.#lineLength = 0
      if (!this.#inHeader) this.#lines--
      else if (isBlank) this.#inHeader = false
      if (!this.#inHeader && this.#lines === 0)
        return { octets: octets.subarray(0, at + 1), isEnd: true }
    }
    return { octets, isEnd: false }
  }
}
