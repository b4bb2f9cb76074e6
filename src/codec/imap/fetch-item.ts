import { quote } from './render.ts'
import type { Scanner } from './scanner.ts'

/** What a section names inside a message or part (RFC 9051 §6.4.5). */
export type SectionText =
  | { readonly kind: 'whole' | 'header' | 'text' | 'mime' }
  | { readonly kind: 'fields'; readonly fields: readonly string[]; readonly not: boolean }

export interface Section {
  /** Part numbers from the root; empty: the message itself. */
  readonly path: readonly number[]
  readonly text: SectionText
}

export type FetchItem =
  | {
      readonly kind:
        | 'envelope'
        | 'flags'
        | 'internalDate'
        | 'size'
        | 'uid'
        | 'body'
        | 'bodyStructure'
        | 'modSeq'
        | 'emailId'
        | 'threadId'
        | 'saveDate'
        | 'preview'
    }
  | {
      readonly kind: 'section'
      readonly section: Section
      /** How the response names it: `BODY[1.MIME]<0>`, `RFC822.TEXT`. */
      readonly label: string
      /** False where reading sets \Seen. */
      readonly peek: boolean
      /** Of the items that IMAP4rev2 has no more (RFC 9051 appendix E). */
      readonly legacy?: boolean
      /** Its length is asked for, not its octets. */
      readonly sizeOnly?: boolean
      readonly partial?: { readonly offset: number; readonly length: number }
    }
  /** A part without its transfer encoding, or how long that is (RFC 3516 §4.2, §4.3). */
  | {
      readonly kind: 'binary'
      readonly path: readonly number[]
      readonly label: string
      readonly peek: boolean
      readonly partial?: { readonly offset: number; readonly length: number }
    }
  | { readonly kind: 'binarySize'; readonly path: readonly number[]; readonly label: string }

const MACROS: Readonly<Record<string, readonly FetchItem['kind'][]>> = {
  FAST: ['flags', 'internalDate', 'size'],
  ALL: ['flags', 'internalDate', 'size', 'envelope'],
  FULL: ['flags', 'internalDate', 'size', 'envelope', 'body'],
}

const SIMPLE: Readonly<
  Record<string, Exclude<FetchItem['kind'], 'section' | 'binary' | 'binarySize'>>
> = {
  ENVELOPE: 'envelope',
  FLAGS: 'flags',
  INTERNALDATE: 'internalDate',
  'RFC822.SIZE': 'size',
  UID: 'uid',
  BODY: 'body',
  BODYSTRUCTURE: 'bodyStructure',
  MODSEQ: 'modSeq',
  EMAILID: 'emailId',
  THREADID: 'threadId',
  SAVEDATE: 'saveDate',
  PREVIEW: 'preview',
}

const LEGACY: Readonly<
  Record<string, { readonly kind: 'whole' | 'header' | 'text'; peek: boolean }>
> = {
  RFC822: { kind: 'whole', peek: false },
  'RFC822.HEADER': { kind: 'header', peek: true },
  'RFC822.TEXT': { kind: 'text', peek: false },
}

/** What one FETCH may ask for of each message. */
const ITEMS_MAX = 1_000

/** Reads a macro, one item or a list of items. */
export function readFetchItems(scanner: Scanner): readonly FetchItem[] {
  if (scanner.peek() === '(') {
    const items = scanner.list(() => readItem(scanner))
    if (items.length > ITEMS_MAX) return scanner.fail('Too much to fetch at once')
    return items.length === 0 ? scanner.fail('Nothing to fetch') : items
  }
  const macro = /^(ALL|FAST|FULL)(?![A-Za-z0-9.[])/i.exec(
    scanner.text.slice(scanner.position, scanner.position + 5),
  )
  if (macro === null) return [readItem(scanner)]
  scanner.expect(macro[0])
  return MACROS[macro[1]!.toUpperCase()]!.map((kind) => ({ kind }) as FetchItem)
}

function readItem(scanner: Scanner): FetchItem {
  const name = itemName(scanner)
  if (scanner.peek() === '[' && (name === 'BODY' || name === 'BODY.PEEK')) {
    const section = readSection(scanner)
    const partial = readPartial(scanner)
    const origin = partial === undefined ? '' : `<${partial.offset}>`
    return {
      kind: 'section',
      section,
      label: `BODY[${sectionLabel(section)}]${origin}`,
      peek: name === 'BODY.PEEK',
      ...(partial === undefined ? {} : { partial }),
    }
  }
  if (name.startsWith('BINARY')) return readBinary(scanner, name)
  const legacy = LEGACY[name]
  if (legacy !== undefined)
    return {
      kind: 'section',
      section: { path: [], text: { kind: legacy.kind } },
      label: name,
      peek: legacy.peek,
      legacy: true,
    }
  const kind = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined
  if (kind === undefined) return scanner.fail('Unknown fetch item')
  // RFC 8970 §3.1: every preview is there at once, so LAZY asks for nothing else.
  if (
    kind === 'preview' &&
    /^ \(LAZY\)/i.test(scanner.text.slice(scanner.position, scanner.position + 7))
  )
    scanner.position += ' (LAZY)'.length
  return { kind }
}

function readBinary(scanner: Scanner, name: string): FetchItem {
  if (name !== 'BINARY' && name !== 'BINARY.PEEK' && name !== 'BINARY.SIZE')
    return scanner.fail('Unknown fetch item')
  const section = readSection(scanner)
  const { path } = section
  // RFC 3516 names parts alone. Of their headers and texts, which have no encoding of their own,
  // others tell what BODY does, and so do we.
  const isPart = section.text.kind === 'whole'
  if (name === 'BINARY.SIZE') {
    const label = `BINARY.SIZE[${sectionLabel(section)}]`
    if (isPart) return { kind: 'binarySize', path, label }
    return { kind: 'section', section, label, peek: true, sizeOnly: true }
  }
  const partial = readPartial(scanner, { mayBeOpen: true })
  const origin = partial === undefined ? '' : `<${partial.offset}>`
  const label = `BINARY[${sectionLabel(section)}]${origin}`
  const asked = {
    label,
    peek: name === 'BINARY.PEEK',
    ...(partial === undefined ? {} : { partial }),
  }
  return isPart ? { kind: 'binary', path, ...asked } : { kind: 'section', section, ...asked }
}

function itemName(scanner: Scanner): string {
  const match = /^[A-Za-z0-9.]{1,20}/.exec(
    scanner.text.slice(scanner.position, scanner.position + 21),
  )
  if (match === null) return scanner.fail('Expected a fetch item')
  scanner.position += match[0].length
  return match[0].toUpperCase()
}

/** Part numbers deeper than this are refused: no structure that we keep is deeper. */
const PATH_LENGTH_MAX = 128

function readSection(scanner: Scanner): Section {
  scanner.expect('[')
  const path: number[] = []
  if (scanner.skip(']')) return { path, text: { kind: 'whole' } }
  while (/\d/.test(scanner.peek())) {
    const part = scanner.number()
    if (part === 0 || path.length >= PATH_LENGTH_MAX) scanner.fail('Bad part number')
    path.push(part)
    if (scanner.skip(']')) return { path, text: { kind: 'whole' } }
    scanner.expect('.')
  }
  const text = readSectionText(scanner, path.length > 0)
  scanner.expect(']')
  return { path, text }
}

function readSectionText(scanner: Scanner, inPart: boolean): SectionText {
  switch (itemName(scanner)) {
    case 'HEADER':
      return { kind: 'header' }
    case 'TEXT':
      return { kind: 'text' }
    case 'MIME':
      return inPart ? { kind: 'mime' } : scanner.fail('MIME without a part number')
    case 'HEADER.FIELDS':
      return readFields(scanner, false)
    case 'HEADER.FIELDS.NOT':
      return readFields(scanner, true)
    default:
      return scanner.fail('Unknown section')
  }
}

function readFields(scanner: Scanner, not: boolean): SectionText {
  scanner.space()
  const fields = scanner.list(() => scanner.astring())
  if (fields.length === 0) scanner.fail('No header field named')
  return { kind: 'fields', fields, not }
}

/** Of BINARY, others take a partial without a length as well: all from there on. */
function readPartial(
  scanner: Scanner,
  { mayBeOpen }: { readonly mayBeOpen: boolean } = { mayBeOpen: false },
): { offset: number; length: number } | undefined {
  if (!scanner.skip('<')) return undefined
  const offset = scanner.number()
  if (mayBeOpen && scanner.skip('>')) return { offset, length: Infinity }
  scanner.expect('.')
  const length = scanner.number()
  if (length === 0) scanner.fail('Empty partial range')
  scanner.expect('>')
  return { offset, length }
}

function sectionLabel({ path, text }: Section): string {
  const words: Record<SectionText['kind'], string> = {
    whole: '',
    header: 'HEADER',
    text: 'TEXT',
    mime: 'MIME',
    fields: text.kind === 'fields' && text.not ? 'HEADER.FIELDS.NOT' : 'HEADER.FIELDS',
  }
  const name = [...path.map(String), ...(words[text.kind] === '' ? [] : [words[text.kind]])].join(
    '.',
  )
  if (text.kind !== 'fields') return name
  const fields = text.fields.map((field) => (/^[!-'*-z|}~]+$/.test(field) ? field : quote(field)))
  return `${name} (${fields.join(' ')})`
}
