import type { MessageMeta, MimePart, OctetRange } from '#model/message.ts'
import type { Section } from './fetch-item.ts'

/** Where a section's octets lie; `fields` must still be picked out of a header. */
export interface SectionRange extends OctetRange {
  readonly fields?: { readonly names: readonly string[]; readonly not: boolean }
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
export function pickFields(
  header: string,
  wanted: { readonly names: readonly string[]; readonly not: boolean },
): string {
  const names = new Set(wanted.names.map((name) => name.toLowerCase()))
  let kept = ''
  let keeping = false
  let position = 0
  while (position < header.length) {
    const newline = header.indexOf('\n', position)
    const next = newline < 0 ? header.length : newline + 1
    const line = header.slice(position, next)
    position = next
    if (/^\r?\n?$/.test(line)) break
    if (!/^[ \t]/.test(line)) {
      const colon = line.indexOf(':')
      const name = colon < 0 ? '' : line.slice(0, colon).trimEnd().toLowerCase()
      keeping = colon >= 0 && names.has(name) !== wanted.not
    }
    if (keeping) kept += line
  }
  if (kept !== '' && !kept.endsWith('\n')) kept += '\r\n'
  return `${kept}\r\n` // RFC 9051 §6.4.5.1: the subset is always followed by a blank line
}
