import type { Octets } from '#base/octets.ts'
import type { HeaderAddress, MessageMeta, MimePart } from '#model/message.ts'
import { decodeWords } from './encoded-word.ts'
import { foldText } from './fold-text.ts'
import { headerFields } from './header.ts'
import { bodyReadings, isReadable, partNames } from './readings.ts'
import { decodeText } from './text.ts'

export const ENVELOPE_FIELDS = ['from', 'to', 'cc', 'bcc', 'subject'] as const
export type EnvelopeField = (typeof ENVELOPE_FIELDS)[number]

/** All of a message that is searched, folded. */
export interface MessageTexts {
  readonly envelope: Readonly<Record<EnvelopeField, string>>
  /** Lower-case name and value of each field, in order. */
  readonly header: readonly (readonly [name: string, text: string])[]
  /** Readings of its text parts, names of attachments, headers of messages within it. */
  readonly bodies: readonly string[]
  /** True where a limit left something out. */
  readonly isCut: boolean
  /** True where HTML has a source besides what is read of it. */
  readonly hasMarkup: boolean
}

/** A stretch of a message that `textsOf` reads; offsets as in its meta. */
export interface TextPlace {
  readonly kind: 'header' | 'body'
  readonly part: MimePart
  readonly offset: number
  /** Within the limits. */
  readonly length: number
}

export interface TextPlaces {
  readonly places: readonly TextPlace[]
  readonly isCut: boolean
}

/** Octets of one header, and of all bodies, that are searched by the index. */
export const HEAD_BYTES_MAX = 262_144
const BODIES_BYTES_MAX = 1_048_576
const PLACES_MAX = 1_000

/** Where a message's texts lie, the limits applied. */
export function textPlaces(root: MimePart): TextPlaces {
  const places: TextPlace[] = []
  let left = BODIES_BYTES_MAX
  let isCut = root.header.length > HEAD_BYTES_MAX
  const take = (kind: TextPlace['kind'], part: MimePart, { offset, length }: MimePart['body']) => {
    const taken = places.length < PLACES_MAX ? Math.min(length, left) : 0
    isCut ||= taken < length
    left -= taken
    if (taken > 0) places.push({ kind, part, offset, length: taken })
  }
  const visit = (part: MimePart): void => {
    for (const child of part.parts) visit(child)
    if (part.message !== undefined) {
      take('header', part.message.root, part.message.root.header)
      visit(part.message.root)
    } else if (isReadable(part)) take('body', part, part.body)
  }
  visit(root)
  return { places, isCut }
}

/** Texts of a message by its meta, its header with what was put in front of it, and the octets of its places. */
export function textsOf(
  meta: Pick<MessageMeta, 'envelope' | 'root' | 'truncated'>,
  head: Octets,
  { places, isCut, octets }: TextPlaces & { readonly octets: readonly Octets[] },
): MessageTexts {
  const { envelope, root } = meta
  const bodies: string[] = []
  let hasMarkup = false
  for (const [index, { kind, part }] of places.entries()) {
    const text = octets[index]!
    if (kind === 'header')
      for (const [name, value] of foldedFields(text)) bodies.push(`${name}: ${value}`)
    else {
      hasMarkup ||= part.subtype === 'html'
      for (const reading of bodyReadings(part, decodeText(part, text)))
        bodies.push(foldText(reading))
    }
  }
  eachPart(root, (part) => bodies.push(...partNames(part).map(foldText)))
  return {
    envelope: {
      from: addressText(envelope.from),
      to: addressText(envelope.to),
      cc: addressText(envelope.cc),
      bcc: addressText(envelope.bcc),
      subject: foldText(decodeWords(envelope.subject ?? '')),
    },
    header: foldedFields(head),
    bodies,
    isCut: isCut || meta.truncated,
    hasMarkup,
  }
}

/** Lower-case names and folded values of a header's fields. */
export const foldedFields = (header: Octets): (readonly [name: string, text: string])[] =>
  Array.from(headerFields(header), ({ key, value }) => [key, foldText(decodeWords(value))] as const)

function eachPart(part: MimePart, visit: (part: MimePart) => void): void {
  visit(part)
  for (const child of part.parts) eachPart(child, visit)
  if (part.message !== undefined) eachPart(part.message.root, visit)
}

/** Addresses as FROM and its kin search them: names and addresses. */
export function addressText(addresses: readonly HeaderAddress[] | undefined): string {
  const texts = (addresses ?? []).map(
    ({ name, mailbox, host }) =>
      `${decodeWords(name ?? '')} <${decodeWords(mailbox ?? '')}${host === undefined ? '' : `@${decodeWords(host)}`}>`,
  )
  return foldText(texts.join(', '))
}
