import type { Octets } from '#base/octets.ts'
import type { MimePart } from '#model/message.ts'
import { decodeCharset } from './charset.ts'
import { decodeContent } from './content-decoder.ts'
import { paramOf } from './encoded-word.ts'

/** The text of a part's body octets: transfer encoding undone, then the charset. Total. */
export function decodeText(
  part: Pick<MimePart, 'subtype' | 'params' | 'encoding'>,
  body: Octets,
): string {
  const octets = decodeContent(body, part.encoding)
  return decodeCharset(octets, paramOf(part.params, 'charset'))
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}

/** What a reader sees of HTML, roughly: for previews and rules, never for showing. Linear. */
export function htmlToText(html: string): string {
  return html
    .replace(/<!--[\s\S]*?(?:-->|$)/g, ' ')
    .replace(/<(style|script|head|title)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, ' ')
    .replace(/<[^<>]*(?:>|$)/g, ' ')
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, entity)
}

function entity(
  whole: string,
  decimal: string | undefined,
  hex: string | undefined,
  name: string | undefined,
): string {
  if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole
  const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal)
  const isText = code > 31 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
  return isText ? String.fromCodePoint(code) : ' '
}
