import { isAscii as isAsciiBuffer } from 'node:buffer'
/** Octets: words for plain byte strings. Nothing here decodes what is only carried. */
export type Octets = Uint8Array

export const CR = 0x0d
export const LF = 0x0a
export const NUL = 0x00

export const emptyOctets: Octets = new Uint8Array(0)

/** ASCII or Latin-1 text to octets, one octet a character. */
export const fromLatin1 = (text: string): Octets => Buffer.from(text, 'latin1')

/** Octets as a string of one character per octet: total and reversible. */
export const toLatin1 = (octets: Octets): string => bufferOf(octets).toString('latin1')

export const fromUtf8 = (text: string): Octets => Buffer.from(text, 'utf8')

/** UTF-8 to text; malformed sequences become U+FFFD. */
export const toUtf8 = (octets: Octets): string => bufferOf(octets).toString('utf8')

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 to text, or undefined where the octets are not UTF-8. */
export function toUtf8Strict(octets: Octets): string | undefined {
  try {
    return strictUtf8.decode(octets)
  } catch {
    return undefined
  }
}

/** A Buffer over the same memory; no copy. */
export const bufferOf = (octets: Octets): Buffer =>
  Buffer.isBuffer(octets)
    ? octets
    : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)

export function concatOctets(parts: readonly Octets[]): Octets {
  if (parts.length === 1) return parts[0]!
  return Buffer.concat(parts)
}

export const equalOctets = (a: Octets, b: Octets): boolean =>
  a.byteLength === b.byteLength && bufferOf(a).equals(b)

export const isAscii = (octets: Octets): boolean => isAsciiBuffer(octets)
