import { fromUtf8, toUtf8Strict } from '#base/octets.ts'

/** One part of a name: `uid=hanako`; several of them joined by `+` are one part, too. */
export interface Rdn {
  readonly type: string
  readonly value: string
}

const DN_CHARS_MAX = 8 * 1024
const TYPE = / *([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*) *= */y
const PLAIN = /[^\\,;+"]+/y
const QUOTED = /"((?:[^"\\]|\\.)*)" */sy

/** A name's parts, the nearest first (RFC 4514 §3; quotes and `;` as RFC 2253 §4 had them); undefined: it is none. */
export function parseDn(text: string): readonly (readonly Rdn[])[] | undefined {
  if (text.length > DN_CHARS_MAX) return undefined
  if (text.trim() === '') return []
  const parts: Rdn[][] = [[]]
  let at = 0
  for (;;) {
    TYPE.lastIndex = at
    const type = TYPE.exec(text)
    if (type === null) return undefined
    const read = readValue(text, TYPE.lastIndex)
    if (read === undefined) return undefined
    parts.at(-1)!.push({ type: type[1]!.toLowerCase(), value: read.value })
    at = read.end
    if (at === text.length) return parts
    if (text[at] !== '+') parts.push([])
    at++
  }
}

/** A value up to what ends it: its blanks at both ends are the syntax's, but for escaped ones. */
function readValue(
  text: string,
  from: number,
): { readonly value: string; readonly end: number } | undefined {
  QUOTED.lastIndex = from
  const quoted = QUOTED.exec(text)
  if (quoted !== null) {
    const end = QUOTED.lastIndex
    if (end < text.length && !isEnd(text[end]!)) return undefined
    const value = unescaped(quoted[1]!)
    return value === undefined ? undefined : { value, end }
  }
  let end = from
  let kept = from // behind the last sign that is no blank of the syntax
  while (end < text.length && !isEnd(text[end]!)) {
    if (text[end] === '"') return undefined
    if (text[end] === '\\') kept = end += 2
    else {
      PLAIN.lastIndex = end
      const plain = PLAIN.exec(text)?.[0] ?? ''
      let width = plain.length
      while (plain[width - 1] === ' ') width--
      if (width > 0) kept = end + width
      end += plain.length
    }
  }
  if (end > text.length) return undefined // a backslash at the end
  const value = unescaped(text.slice(from, kept))
  return value === undefined ? undefined : { value, end }
}

const isEnd = (sign: string): boolean => sign === ',' || sign === ';' || sign === '+'

/** `\\2C` is an octet, `\\,` a sign. */
function unescaped(text: string): string | undefined {
  if (!text.includes('\\')) return text
  const octets: number[] = []
  for (let at = 0; at < text.length;) {
    if (text[at] !== '\\') {
      const next = text.indexOf('\\', at)
      const end = next < 0 ? text.length : next
      octets.push(...fromUtf8(text.slice(at, end)))
      at = end
    } else if (/^[0-9A-Fa-f]{2}/.test(text.slice(at + 1, at + 3))) {
      octets.push(Number.parseInt(text.slice(at + 1, at + 3), 16))
      at += 3
    } else {
      const sign = text.codePointAt(at + 1)
      if (sign === undefined) return undefined
      const char = String.fromCodePoint(sign)
      octets.push(...fromUtf8(char))
      at += 1 + char.length
    }
  }
  return toUtf8Strict(Uint8Array.from(octets))
}

/** The text of a part: what would be read as syntax is escaped (RFC 4514 §2.4). */
export const formatRdn = ({ type, value }: Rdn): string =>
  `${type}=${value.replace(/[\\,;+"<>=]|^[ #]| $/g, '\\$&').replaceAll('\0', '\\00')}`

/** The same for names that are the same: case of values and order within a part do not count. */
export const dnKeyOf = (parts: readonly (readonly Rdn[])[]): string =>
  parts
    .map((part) =>
      part
        .map(({ type, value }) =>
          formatRdn({ type, value: value.normalize('NFC').toLowerCase().replace(/ +/g, ' ') }),
        )
        .toSorted()
        .join('+'),
    )
    .join(',')
