import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'

/** Undoes a content transfer encoding piece by piece; any octets give octets (RFC 2045 §6). */
export interface ContentDecoder {
  push(octets: Octets): Octets
  /** What was held back; call once, after the last piece. */
  end(): Octets
}

/** The decoder of an encoding by its name; 7bit, 8bit, binary and unknown ones pass through. */
export function contentDecoder(encoding: string): ContentDecoder {
  const name = asciiLower(encoding.trim())
  if (name === 'base64') return new Base64Decoder()
  return name === 'quoted-printable' ? new QuotedPrintableDecoder() : passThrough
}

/** All at once. */
export function decodeContent(octets: Octets, encoding: string): Octets {
  const decoder = contentDecoder(encoding)
  return concatOctets([decoder.push(octets), decoder.end()])
}

const passThrough: ContentDecoder = { push: (octets) => octets, end: () => emptyOctets }

const BASE64 = new Int8Array(256).fill(-1)
for (const [i, digit] of Array.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
).entries())
  BASE64[digit.charCodeAt(0)] = i

/** Foreign octets are skipped; padding ends a quantum, and what follows is decoded on (RFC 2045 §6.8). */
class Base64Decoder implements ContentDecoder {
  #bits = 0
  #count = 0

  push(octets: Octets): Octets {
    const out = Buffer.allocUnsafe(((octets.length + 3) * 3) >> 2)
    let used = 0
    let bits = this.#bits
    let count = this.#count
    for (let at = 0; at < octets.length; at++) {
      const octet = octets[at]!
      const value = BASE64[octet]!
      if (value >= 0) {
        bits = (bits << 6) | value
        if (++count < 4) continue
        out[used++] = bits >> 16
        out[used++] = bits >> 8
        out[used++] = bits
      } else if (octet !== 0x3d || count === 0) continue
      else used = flushBits(out, used, bits, count)
      bits = 0
      count = 0
    }
    this.#bits = bits
    this.#count = count
    return out.subarray(0, used)
  }

  end(): Octets {
    const out = Buffer.alloc(2)
    return out.subarray(0, flushBits(out, 0, this.#bits, this.#count))
  }
}

function flushBits(out: Buffer, from: number, bits: number, count: number): number {
  let used = from
  if (count === 2) out[used++] = bits >> 4
  if (count === 3) {
    out[used++] = bits >> 10
    out[used++] = bits >> 2
  }
  return used
}

/** Longest run of blanks held back to see whether a line ends after it (RFC 2045 §6.7 rule 3). */
const BLANKS_MAX = 1_000
const EQUALS = 0x3d
const isBlank = (octet: number): boolean => octet === 0x20 || octet === 0x09

/** Broken escapes stand as they are; blanks before a line's end are dropped (RFC 2045 §6.7). */
class QuotedPrintableDecoder implements ContentDecoder {
  /** Undecided: `=` with a digit, or `=` or nothing with blanks, then perhaps CR. */
  #held: number[] = []
  /** In a run of blanks too long to hold: it stands. */
  #isLong = false

  push(octets: Octets): Octets {
    const out = Buffer.allocUnsafe(octets.length + this.#held.length)
    let used = 0
    for (let at = 0; at < octets.length; at++) {
      const octet = octets[at]!
      if (this.#held.length > 0) {
        used = this.#resume(out, used, octet)
        continue
      }
      if (octet !== EQUALS && (!isBlank(octet) || this.#isLong)) {
        out[used++] = octet
        this.#isLong &&= isBlank(octet)
      } else {
        this.#held.push(octet)
        this.#isLong = false
      }
    }
    return out.subarray(0, used)
  }

  end(): Octets {
    const held = this.#held
    this.#held = []
    const isEscape = held[0] === EQUALS && held.length === 2 && hexDigit(held[1]!) >= 0
    return Buffer.from(isEscape ? held : [])
  }

  /** Takes one octet while others are held. */
  #resume(out: Buffer, from: number, octet: number): number {
    let used = from
    const held = this.#held
    const last = held.at(-1)!
    if (octet === 0x0a) {
      if (held[0] !== EQUALS) {
        if (last === 0x0d) out[used++] = 0x0d
        out[used++] = octet
      } else if (held.length === 2 && hexDigit(last) >= 0) return this.#giveUp(out, used, octet)
      held.length = 0
      return used
    }
    if (last === 0x0d) return this.#giveUp(out, used, octet)
    const hasDigit = held[0] === EQUALS && hexDigit(last) >= 0
    if (hasDigit && hexDigit(octet) >= 0) {
      out[used++] = (hexDigit(last) << 4) | hexDigit(octet)
      held.length = 0
      return used
    }
    const isWaiting =
      !hasDigit && (isBlank(octet) || octet === 0x0d || (last === EQUALS && hexDigit(octet) >= 0))
    if (!isWaiting) return this.#giveUp(out, used, octet)
    held.push(octet)
    if (held.length <= BLANKS_MAX) return used
    const isLong = isBlank(octet)
    used = this.#flush(out, used)
    this.#isLong = isLong
    return used
  }

  /** What is held stands as it is; the octet begins anew. */
  #giveUp(out: Buffer, from: number, octet: number): number {
    let used = this.#flush(out, from)
    if (octet === EQUALS || isBlank(octet)) this.#held.push(octet)
    else out[used++] = octet
    return used
  }

  #flush(out: Buffer, from: number): number {
    let used = from
    for (const octet of this.#held) out[used++] = octet
    this.#held.length = 0
    return used
  }
}

function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const letter = octet | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
