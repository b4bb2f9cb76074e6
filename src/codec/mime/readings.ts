import type { MimePart } from '#model/message.ts'
import { decodeWords, paramOf } from './encoded-word.ts'
import { attributeText, htmlToText } from './text.ts'

/** Tags that stand inside words. */
const INLINE_TAGS = /<\/?(?:a|b|em|font|i|mark|s|small|span|strong|u|wbr)\b[^<>]*>/gi
/** What a reader is led to or told by markup alone. */
const ATTRIBUTES = /\s(?:href|src|alt|title)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))/gi

/**
 * The decoded text of a body as it may be read and is searched, each reading by itself: HTML as it is
 * seen, and its links; plain text as it stands, and without the marks of quoting, which stand inside
 * words that a quoted line's end parts.
 */
export function bodyReadings(part: Pick<MimePart, 'subtype' | 'params'>, text: string): string[] {
  if (part.subtype === 'html') {
    const links = Array.from(text.matchAll(ATTRIBUTES), ([, a, b, c]) => a ?? b ?? c ?? '')
    const seen = htmlToText(text.replace(INLINE_TAGS, ''))
    return links.length === 0 ? [seen] : [seen, attributeText(links.join('\n'))]
  }
  const joined = isDelSp(part) ? text.replace(/ \r?\n/g, '') : text
  return /^>/m.test(joined) ? [joined, joined.replace(/^>[> ]*/gm, '')] : [joined]
}

/** A blank at a line's end is the break's alone (RFC 3676 §4.1). */
const isDelSp = ({ params }: Pick<MimePart, 'params'>): boolean =>
  /^flowed$/i.test(paramOf(params, 'format') ?? '') && /^yes$/i.test(paramOf(params, 'delsp') ?? '')

/** True for a term that only the source of HTML may hold. */
export const isMarkup = (term: string): boolean => /[<>]/.test(term)

/** What a part is called: its file name and description. */
export function partNames(
  part: Pick<MimePart, 'params' | 'disposition' | 'description'>,
): string[] {
  const names = [
    part.disposition && paramOf(part.disposition.params, 'filename'),
    paramOf(part.params, 'name'),
    part.description && decodeWords(part.description),
  ]
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))] as string[]
}

/** True for a part whose body is text to a reader; a bounce names the address only in message/delivery-status. */
export const isReadable = (part: Pick<MimePart, 'type' | 'message'>): boolean =>
  part.type === 'text' || (part.type === 'message' && part.message === undefined)
