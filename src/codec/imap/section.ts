import { concatOctets, fromLatin1, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { MessageMeta, MimePart, OctetRange } from '#model/message.ts'
import type { Section } from './fetch-item.ts'

/** Where a section's octets lie; `fields` must still be picked out of a header. */
export interface SectionRange extends OctetRange {
  readonly fields?: WantedFields
}

/** What stands in front of the stored octets and belongs to the message's header. */
export interface Prefixed {
  readonly meta: MessageMeta
  readonly prefixBytes: number
}

/** Resolves a section to octets, counted with the prefix; undefined: the message has no such part. */
export function resolveSection(section: Section, message: Prefixed): SectionRange | undefined {
  const { meta, prefixBytes } = message
  const { text } = section
  if (section.path.length === 0) {
    const header = { offset: 0, length: prefixBytes + headerEnd(meta.root) }
    if (text.kind === 'whole') return { offset: 0, length: prefixBytes + meta.sizeBytes }
    if (text.kind === 'text')
      return { offset: header.length, length: prefixBytes + meta.sizeBytes - header.length }
    return withFields(section, header)
  }
  const part = partAt(meta.root, section.path)
  if (part === undefined) return undefined
  const shifted = (range: OctetRange): OctetRange => ({
    offset: range.offset + prefixBytes,
    length: range.length,
  })
  if (text.kind === 'whole') return shifted(part.body)
  if (text.kind === 'mime') return shifted(part.header)
  // RFC 9051 §6.4.5.1: HEADER and TEXT of a part are those of the message that it holds.
  const inner = part.message?.root
  if (inner === undefined) return undefined
  if (text.kind === 'text') {
    const begin = headerEnd(inner)
    return shifted({ offset: begin, length: part.body.offset + part.body.length - begin })
  }
  return withFields(section, shifted(inner.header))
}

const headerEnd = (root: MimePart): number => root.header.offset + root.header.length

function withFields({ text }: Section, range: OctetRange): SectionRange {
  return text.kind === 'fields'
    ? { ...range, fields: { names: text.fields, not: text.not } }
    : range
}

/** The part that numbers lead to: children of a multipart, or 1 for a message that has no parts. */
export function partAt(root: MimePart, path: readonly number[]): MimePart | undefined {
  let part: MimePart | undefined = root
  let atMessage = true
  for (const number of path) {
    // A message/rfc822 part is entered by its message's numbers (RFC 9051 §6.4.5.1).
    if (!atMessage && part.message !== undefined) part = part.message.root
    else if (!atMessage && part.parts.length === 0) return undefined
    if (part.parts.length > 0) part = part.parts[number - 1]
    else if (number !== 1) return undefined
    if (part === undefined) return undefined
    atMessage = false
  }
  return part
}

/** The fields of a header (octets as characters) that HEADER.FIELDS asks for, and the blank line that ends it. */
export function pickFields(header: Octets, wanted: WantedFields): Octets {
  const picker = new FieldPicker(wanted)
  return concatOctets([picker.push(header), picker.end()])
}

export interface WantedFields {
  /** As they came, in any case. */
  readonly names: readonly string[]
  /** All others are asked for. */
  readonly not: boolean
}

/** Characters of a line in which a name can be seen: whatever is longer is none. */
const NAME_CHARACTERS_MAX = 2_000

/** The same of a header that comes in pieces, in memory of one piece. */
export class FieldPicker {
  readonly #names: ReadonlySet<string>
  readonly #not: boolean
  /** The beginning of a line that does not show yet what it is. */
  #held = ''
  #isInLine = false
  #isKeeping = false
  #isOver = false
  #lastKept = ''

  constructor({ names, not }: WantedFields) {
    this.#names = new Set(names.map((name) => name.toLowerCase()))
    this.#not = not
  }

  push(octets: Octets): Octets {
    return this.#take(toLatin1(octets), false)
  }

  /** RFC 9051 §6.4.5.1: the subset is always followed by a blank line. */
  end(): Octets {
    const rest = this.#take('', true)
    const isOpen = this.#lastKept !== '' && this.#lastKept !== '\n'
    return concatOctets([rest, fromLatin1(isOpen ? '\r\n\r\n' : '\r\n')])
  }

  #take(piece: string, isEnd: boolean): Octets {
    const text = this.#held + piece
    this.#held = ''
    let kept = ''
    for (let at = 0; at < text.length && !this.#isOver;) {
      const newline = text.indexOf('\n', at)
      const next = newline < 0 ? text.length : newline + 1
      const line = text.slice(at, next)
      if (!this.#isInLine) {
        if (newline < 0 && !isEnd && line.length < NAME_CHARACTERS_MAX) {
          this.#held = line
          break
        }
        this.#begin(line)
      }
      this.#isInLine = newline < 0
      if (this.#isKeeping && !this.#isOver) kept += line
      at = next
    }
    if (kept !== '') this.#lastKept = kept.at(-1)!
    return fromLatin1(kept)
  }

  #begin(line: string): void {
    if (/^\r?\n?$/.test(line)) this.#isOver = true
    else if (!/^[ \t]/.test(line)) {
      const colon = line.slice(0, NAME_CHARACTERS_MAX).indexOf(':')
      const name = colon < 0 ? '' : line.slice(0, colon).trimEnd().toLowerCase()
      this.#isKeeping = colon >= 0 && this.#names.has(name) !== this.#not
    }
  }
}
