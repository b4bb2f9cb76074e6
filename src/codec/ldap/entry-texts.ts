import { bufferOf, equalOctets, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { EntryTexts } from '#model/directory-entry.ts'
import { Malformed, OCTET_STRING, SEQUENCE, SET, textOf } from './ber.ts'

/** Names of attributes that are kept in mind: a search asks for fewer. */
const NAMES_MAX = 256
/** Longer than an attribute's name is as a rule: read anew each time. */
const NAME_BYTES_MAX = 64

interface KnownName {
  readonly octets: Octets
  readonly name: string
  readonly hasOptions: boolean
}

const NO_OCTETS: EntryTexts['octets'] = new Map()

/**
 * Reads entries of one search as texts, in one pass over their octets: a large directory has millions of
 * values, and a slice, a reader and a decoder for each of them were most of what a full read took.
 */
export class EntryTextReader {
  #octets: Buffer = NOTHING
  #at = 0
  /** In the order in which they came first: the next entry has the same ones in the same order. */
  readonly #names: KnownName[] = []
  #nextName = 0
  #classes: { readonly octets: Octets; readonly texts: readonly string[] } | undefined

  /** The entry whose parts lie between these two; throws Malformed where that is none (RFC 4511 §4.5.2). */
  readonly read = (octets: Octets, at: number, end: number): EntryTexts => {
    this.#octets = bufferOf(octets)
    this.#at = at
    this.#nextName = 0
    const dn = this.#text(this.#enter(OCTET_STRING, end))
    if (dn === undefined) throw new Malformed('a name that is not UTF-8')
    const texts = new Map<string, readonly string[]>()
    let others: Map<string, readonly Octets[]> | undefined
    let hasOptions = false
    const listEnd = this.#enter(SEQUENCE, end)
    while (this.#at < listEnd) {
      const oneEnd = this.#enter(SEQUENCE, listEnd)
      const known = this.#name(this.#enter(OCTET_STRING, oneEnd))
      const { name } = known
      hasOptions ||= known.hasOptions
      const setEnd = this.#enter(SET, oneEnd)
      const values = name === 'objectclass' ? this.#classesTo(setEnd) : this.#valuesTo(setEnd)
      const before = texts.get(name)
      texts.set(name, before === undefined ? values : [...before, ...values])
      if (this.#noTexts !== undefined) {
        others ??= new Map<string, readonly Octets[]>()
        others.set(name, [...(others.get(name) ?? []), ...this.#noTexts])
        this.#noTexts = undefined
      }
      this.#at = oneEnd
    }
    this.#octets = NOTHING // nobody keeps what came from a socket
    return { dn, texts, octets: others ?? NO_OCTETS, hasOptions }
  }

  /** Values of the attribute at hand that are no text. */
  #noTexts: Octets[] | undefined

  #valuesTo(end: number): readonly string[] {
    const values: string[] = []
    while (this.#at < end) {
      const valueEnd = this.#enter(OCTET_STRING, end)
      const from = this.#at
      const text = this.#text(valueEnd)
      if (text !== undefined) values.push(text)
      else (this.#noTexts ??= []).push(Uint8Array.from(this.#octets.subarray(from, valueEnd)))
    }
    return values
  }

  /** Most entries of a search are of the same classes. */
  #classesTo(end: number): readonly string[] {
    const octets = this.#octets.subarray(this.#at, end)
    if (this.#classes !== undefined && equalOctets(this.#classes.octets, octets)) {
      this.#at = end
      return this.#classes.texts
    }
    const texts = this.#valuesTo(end)
    if (this.#noTexts === undefined) this.#classes = { octets: Uint8Array.from(octets), texts }
    return texts
  }

  /** Goes to the content of the next element, and says where that ends: not behind `limit`. */
  #enter(tag: number, limit: number): number {
    const octets = this.#octets
    let at = this.#at
    if (at + 2 > limit || octets[at] !== tag) throw new Malformed(`no ${tag} where it belongs`)
    let length = octets[at + 1]!
    at += 2
    if (length >= 0x80) {
      const count = length & 0x7f
      // RFC 4511 §5.1: definite lengths only.
      if (count === 0 || count > LENGTH_OCTETS_MAX || at + count > limit)
        throw new Malformed('an element without a length')
      length = 0
      for (const end = at + count; at < end; at++) length = length * 256 + octets[at]!
    }
    if (at + length > limit) throw new Malformed('an element is cut')
    this.#at = at
    return at + length
  }

  /** The text up to there; undefined: it is none. */
  #text(end: number): string | undefined {
    const octets = this.#octets
    const start = this.#at
    this.#at = end
    for (let at = start; at < end; at++)
      if (octets[at]! > 0x7f) {
        const text = octets.toString('utf8', start, end)
        // What stands for octets that are no UTF-8 may also have been written so.
        return text.includes('\ufffd') ? toUtf8Strict(octets.subarray(start, end)) : text
      }
    return octets.toString('latin1', start, end)
  }

  #name(end: number): KnownName {
    const start = this.#at
    const names = this.#names
    for (let tried = 0, next = this.#nextName; tried < names.length; tried++, next++) {
      if (next >= names.length) next = 0
      const known = names[next]!
      if (!this.#isAt(known.octets, start, end)) continue
      this.#nextName = next + 1
      this.#at = end
      return known
    }
    this.#at = end
    const octets = Uint8Array.from(this.#octets.subarray(start, end))
    const name = textOf(octets).toLowerCase()
    const known = { octets, name, hasOptions: name.includes(';') }
    if (names.length < NAMES_MAX && octets.length <= NAME_BYTES_MAX) names.push(known)
    return known
  }

  #isAt(octets: Octets, start: number, end: number): boolean {
    if (octets.length !== end - start) return false
    for (let at = 0; at < octets.length; at++)
      if (octets[at] !== this.#octets[start + at]) return false
    return true
  }
}

const NOTHING = Buffer.alloc(0)
const LENGTH_OCTETS_MAX = 4
