import { toUtf8 } from '#base/octets.ts'
import { decodeWords, paramOf } from '#codec/mime/encoded-word.ts'
import { HEADER_BYTES_MAX, headerFields } from '#codec/mime/header.ts'
import { decodeText, htmlToText } from '#codec/mime/text.ts'
import type { MimePart } from '#model/message.ts'
import type { StoredMeta } from '#store/mailbox/meta-records.ts'

import type { ListPlace, ListStore } from './list-store.ts'

/** What a mail says to people: nothing of it is more than text. */
export interface Letter {
  /** Those that people read, decoded. */
  readonly fields: readonly { readonly name: string; readonly value: string }[]
  /** The whole header as it came. */
  readonly header: string
  readonly text: string
  /** html: the text was made of it · both: it has the same, or something else, in HTML too. */
  readonly form: 'plain' | 'html' | 'both'
  /** There is more text than is shown. */
  readonly isCut: boolean
  readonly attachments: readonly {
    readonly name: string
    /** `application/pdf`, as the mail says. */
    readonly type: string
    /** About, where it is encoded. */
    readonly sizeBytes: number
  }[]
}

/** Octets of text parts that are read, and characters of a header that are shown. */
const TEXT_BYTES_MAX = 256 * 1024
const HEADER_SHOWN_MAX = 64 * 1024
const VALUE_CHARACTERS_MAX = 2_000
const ATTACHMENTS_MAX = 200
const SHOWN = ['From', 'Reply-To', 'To', 'Cc', 'Date', 'Subject', 'Message-ID']

/** Reads a mail that lies at `place` for people. */
export async function letterOf(
  store: ListStore,
  place: ListPlace,
  { meta, prefixBytes }: StoredMeta,
): Promise<Letter> {
  const { root } = meta
  const header = await store.read(
    place,
    prefixBytes,
    Math.min(root.header.length, HEADER_BYTES_MAX),
  )
  const texts: string[] = []
  let left = TEXT_BYTES_MAX
  let isCut = meta.truncated
  const parts = textParts(root)
  for (const part of parts) {
    const length = Math.min(part.body.length, left)
    isCut ||= length < part.body.length
    left -= length
    if (length === 0) continue
    const octets = await store.read(place, prefixBytes + part.body.offset, length)
    const text = decodeText(part, octets)
    texts.push(part.subtype === 'html' ? linesOfHtml(text) : text)
  }
  return {
    fields: shownFields(header),
    header: toUtf8(header.subarray(0, HEADER_SHOWN_MAX)),
    text: texts.map(clean).join('\n\n'),
    form: formOf(root, parts),
    isCut,
    attachments: leavesOf(root)
      .filter((part) => !isText(part))
      .slice(0, ATTACHMENTS_MAX)
      .map(attachmentOf),
  }
}

/** What is read of it: of alternatives the plain one, where there is one. */
function textParts(part: MimePart): readonly MimePart[] {
  if (part.parts.length > 0) {
    const found = part.parts.map(textParts)
    if (part.subtype !== 'alternative') return found.flat()
    const plain = found.find((each) => each.some(({ subtype }) => subtype === 'plain'))
    return plain ?? found.findLast((each) => each.length > 0) ?? []
  }
  return isText(part) ? [part] : []
}

const isText = ({ type, subtype, disposition }: MimePart): boolean =>
  type === 'text' &&
  (subtype === 'plain' || subtype === 'html') &&
  disposition?.kind !== 'attachment'

const leavesOf = (part: MimePart): readonly MimePart[] =>
  part.parts.length > 0 ? part.parts.flatMap(leavesOf) : [part]

function formOf(root: MimePart, shown: readonly MimePart[]): Letter['form'] {
  if (shown.some(({ subtype }) => subtype === 'html')) return 'html'
  const isBoth = leavesOf(root).some((part) => isText(part) && part.subtype === 'html')
  return isBoth ? 'both' : 'plain'
}

const BREAK = /<(?:br|hr|\/(?:p|div|tr|li|ul|ol|table|blockquote|h[1-6]|pre))\b[^<>]*>/gi

/** Lines stay lines; the rest as `htmlToText` has it. */
const linesOfHtml = (html: string): string =>
  htmlToText(html.replace(/\s+/g, ' ').replace(BREAK, '\n'))
    .replace(/[ \t]*\n[ \t]*/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/ {2,}/g, ' ')
    .trim()

function shownFields(header: Uint8Array): Letter['fields'] {
  const all = [...headerFields(header)]
  // Twice where a mail has it twice: one of them would hide the other.
  return SHOWN.flatMap((name) =>
    all
      .filter(({ key }) => key === name.toLowerCase())
      .slice(0, 10)
      .map(({ value }) => ({
        name,
        value: oneLine(decodeWords(value)).slice(0, VALUE_CHARACTERS_MAX),
      })),
  )
}

function attachmentOf(part: MimePart): Letter['attachments'][number] {
  const name =
    (part.disposition && paramOf(part.disposition.params, 'filename')) ??
    paramOf(part.params, 'name') ??
    decodeWords(part.message?.envelope.subject ?? '')
  const { length } = part.body
  return {
    name: oneLine(name).slice(0, 200),
    type: oneLine(`${part.type}/${part.subtype}`).slice(0, 100),
    // Lines of 76 characters and their ends: RFC 2045 §6.8.
    sizeBytes: part.encoding === 'base64' ? Math.floor((length * 57) / 78) : length,
  }
}

/** Signs that turn the direction of what stands after them: a name of a file may lie by them. */
const TURNS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

const oneLine = (text: string): string =>
  text
    .replace(TURNS, '')
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .trim()

const clean = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(TURNS, '')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
    .trimEnd()
