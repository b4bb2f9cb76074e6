import { bufferOf, concatOctets, fromUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** Universal tags that LDAP uses (X.690 §8). */
export const BOOLEAN = 0x01
const INTEGER = 0x02
export const OCTET_STRING = 0x04
export const ENUMERATED = 0x0a
export const SEQUENCE = 0x30
export const SET = 0x31

/** Tags that a place of a message gives its parts: context-specific, primitive and constructed. */
export const context = (number: number): number => 0x80 | number
export const contextOf = (number: number): number => 0xa0 | number

/** Octets that are not BER as LDAP restricts it; stays within the codec. */
export class Malformed extends Error {}

const LENGTH_OCTETS_MAX = 4
const INTEGER_OCTETS_MAX = 6

/** How long an element is, with its tag and length; undefined while more octets are needed to tell. */
export function elementLength(octets: Octets, at = 0, end = octets.length): number | undefined {
  if (at + 1 >= end) return undefined
  const first = octets[at + 1]!
  if (first < 0x80) return 2 + first
  const count = first & 0x7f
  // RFC 4511 §5.1: definite lengths only; no message has one of five octets.
  if (count === 0 || count > LENGTH_OCTETS_MAX) throw new Malformed('an element without a length')
  if (at + 2 + count > end) return undefined
  let length = 0
  for (let each = at + 2; each < at + 2 + count; each++) length = length * 256 + octets[each]!
  return 2 + count + length
}

/**
 * Reads elements one after another, as LDAP restricts BER (RFC 4511 §5.1). Hands out slices, no copies, and
 * of nothing but what is asked for: a large directory has millions of elements.
 */
export class BerReader {
  readonly #octets: Octets
  #at: number
  readonly #end: number

  constructor(octets: Octets, at = 0, end = octets.length) {
    this.#octets = octets
    this.#at = at
    this.#end = end
  }

  get done(): boolean {
    return this.#at === this.#end
  }

  /** The tag of what comes next. */
  get tag(): number | undefined {
    return this.#at < this.#end ? this.#octets[this.#at] : undefined
  }

  /** The next element's content; throws Malformed where it has another tag. */
  content(tag: number): Octets {
    const start = this.#pass(tag)
    return this.#octets.subarray(start, this.#at)
  }

  /** Goes behind the next element, and says where its content begins. */
  #pass(tag: number): number {
    if (this.tag !== tag) throw new Malformed(`tag ${this.tag ?? 'none'} where ${tag} belongs`)
    const whole = elementLength(this.#octets, this.#at, this.#end)
    if (whole === undefined || whole > this.#end - this.#at)
      throw new Malformed('an element is cut')
    const first = this.#octets[this.#at + 1]!
    const start = this.#at + (first < 0x80 ? 2 : 2 + (first & 0x7f))
    this.#at += whole
    return start
  }

  /** As `content`; undefined where something else comes next, or nothing. */
  optional(tag: number): Octets | undefined {
    return this.tag === tag ? this.content(tag) : undefined
  }

  enter(tag = SEQUENCE): BerReader {
    const start = this.#pass(tag)
    return new BerReader(this.#octets, start, this.#at)
  }

  /** As `enter`, for who reads it otherwise: where its content lies. */
  place(tag: number): readonly [octets: Octets, start: number, end: number] {
    const start = this.#pass(tag)
    return [this.#octets, start, this.#at]
  }

  skip(): void {
    this.#pass(this.tag ?? SEQUENCE)
  }

  octets(tag = OCTET_STRING): Octets {
    return this.content(tag)
  }

  /** LDAPString (RFC 4511 §4.1.2). */
  text(tag = OCTET_STRING): string {
    const start = this.#pass(tag)
    for (let at = start; at < this.#at; at++)
      if (this.#octets[at]! > 0x7f) return textOf(this.#octets.subarray(start, this.#at))
    // Most names are ASCII: without a slice and a decoder for each.
    return bufferOf(this.#octets).toString('latin1', start, this.#at)
  }

  integer(tag = INTEGER): number {
    const start = this.#pass(tag)
    const length = this.#at - start
    if (length === 0 || length > INTEGER_OCTETS_MAX) throw new Malformed('a number that is none')
    let value = this.#octets[start]! & 0x80 ? -1 : 0
    for (let at = start; at < this.#at; at++) value = value * 256 + this.#octets[at]!
    return value
  }

  boolean(tag = BOOLEAN): boolean {
    const content = this.content(tag)
    if (content.length !== 1) throw new Malformed('a truth value that is none')
    return content[0] !== 0
  }
}

/** Text of an element's content; throws Malformed where it is not UTF-8. */
export function textOf(content: Octets): string {
  const text = toUtf8Strict(content)
  if (text === undefined) throw new Malformed('a text that is not UTF-8')
  return text
}

/** One element around its parts. */
export function element(tag: number, ...parts: readonly Octets[]): Octets {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return concatOctets([Uint8Array.from([tag, ...lengthOf(length)]), ...parts])
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return [0x80 | octets.length, ...octets]
}

export const octetString = (content: Octets | string, tag = OCTET_STRING): Octets =>
  element(tag, typeof content === 'string' ? fromUtf8(content) : content)

export const sequence = (...parts: readonly Octets[]): Octets => element(SEQUENCE, ...parts)

export const boolean = (value: boolean, tag = BOOLEAN): Octets =>
  element(tag, Uint8Array.of(value ? 0xff : 0))

/** Two's complement in as few octets as hold it; safe integers of up to six octets. */
export function integer(value: number, tag = INTEGER): Octets {
  const octets: number[] = []
  let rest = value
  do {
    octets.unshift(((rest % 256) + 256) % 256)
    rest = Math.floor(rest / 256)
  } while (rest !== (octets[0]! & 0x80 ? -1 : 0))
  return element(tag, Uint8Array.from(octets))
}
