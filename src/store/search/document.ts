import { fromUtf8 } from '#base/octets.ts'
import { hasText } from '#codec/mime/fold-text.ts'
import { ENVELOPE_FIELDS } from '#codec/mime/message-texts.ts'
import type { EnvelopeField, MessageTexts } from '#codec/mime/message-texts.ts'
import { isMarkup } from '#codec/mime/readings.ts'
import type { SearchLeaf, TextPlaceName } from './query.ts'
import type { Inverter } from './inverter.ts'

/** Flags of a document. */
export const CUT = 1
export const MARKUP = 2

/*
 * A document is what its message is searched by, folded, in UTF-8:
 *
 *   from \1 to \1 cc \1 bcc \1 subject \2 name: value \1 … \2 body \1 …
 */
const TEXT_END = '\u0001'
const ZONE_END = 0x02

export const flagsOf = (texts: MessageTexts): number =>
  (texts.isCut ? CUT : 0) + (texts.hasMarkup ? MARKUP : 0)

export function encodeDocument(texts: MessageTexts): Buffer {
  const zones = zonesOf(texts).map((list) => list.join(TEXT_END))
  return Buffer.from(fromUtf8(zones.join(String.fromCharCode(ZONE_END)).toWellFormed()))
}

/** Adds the document's grams. */
export function invert(inverter: Inverter, document: number, texts: MessageTexts): void {
  for (const [zone, list] of zonesOf(texts).entries())
    for (const text of list) inverter.add(document, zone as 0 | 1 | 2, text.toWellFormed())
}

const zonesOf = ({ envelope, header, bodies }: MessageTexts): (readonly string[])[] => [
  ENVELOPE_FIELDS.map((field) => envelope[field]),
  header.map(([name, value]) => `${name}: ${value}`),
  bodies,
]

/** A leaf made ready for looking into documents. */
export interface LeafTest {
  /** Undefined where the document does not say: a limit had cut it, or it asks for the source of HTML. */
  test(document: Buffer, flags: number): boolean | undefined
}

export function leafTest(leaf: SearchLeaf): LeafTest {
  const { term } = leaf
  const needle = Buffer.from(term.toWellFormed())
  const hasEdge = term.trim() !== term
  const inBody = leaf.kind === 'text' && leaf.places.includes('body')
  const isSource = inBody && isMarkup(term)
  const found = (document: Buffer): boolean => {
    if (!hasEdge && document.indexOf(needle) < 0) return false
    if (leaf.kind === 'field') return holdsField(document, leaf)
    return leaf.places.some((place) => holds(document, { place, term, needle, hasEdge }))
  }
  return {
    test(document, flags) {
      if (found(document)) return true
      const isOpen = (flags & CUT) !== 0 || (isSource && (flags & MARKUP) !== 0)
      return isOpen ? undefined : false
    },
  }
}

interface Sought {
  readonly place: TextPlaceName
  readonly term: string
  readonly needle: Buffer
  readonly hasEdge: boolean
}

function holds(document: Buffer, { place, term, needle, hasEdge }: Sought): boolean {
  const headerAt = document.indexOf(ZONE_END) + 1
  const bodyAt = document.indexOf(ZONE_END, headerAt) + 1
  if (place === 'body' || place === 'header') {
    const from = place === 'body' ? bodyAt : headerAt
    const to = place === 'body' ? document.length : bodyAt - 1
    const zone = document.subarray(from, to)
    return hasEdge ? anyHas(zone.toString(), term) : zone.includes(needle)
  }
  return hasText(envelopeText(document.toString('utf8', 0, headerAt - 1), place), term)
}

const envelopeText = (zone: string, field: EnvelopeField): string =>
  zone.split(TEXT_END)[ENVELOPE_FIELDS.indexOf(field)] ?? ''

const anyHas = (zone: string, term: string): boolean =>
  zone.split(TEXT_END).some((text) => hasText(text, term))

function holdsField(
  document: Buffer,
  { name, term }: { readonly name: string; readonly term: string },
): boolean {
  const headerAt = document.indexOf(ZONE_END) + 1
  const header = document.toString('utf8', headerAt, document.indexOf(ZONE_END, headerAt))
  const start = `${name}: `
  return header
    .split(TEXT_END)
    .some((field) => field.startsWith(start) && hasText(field.slice(start.length), term))
}
