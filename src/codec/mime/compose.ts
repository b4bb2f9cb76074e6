import { bufferOf, concatOctets, fromLatin1, fromUtf8, isAscii } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** What a message or part to be written holds. */
export type ComposedPart =
  | {
      readonly kind: 'text'
      readonly subtype: string
      readonly text: string
      readonly fields?: readonly string[]
    }
  | {
      readonly kind: 'octets'
      readonly type: string
      readonly octets: Octets
      readonly fields?: readonly string[]
    }
  | {
      readonly kind: 'multipart'
      readonly subtype: string
      readonly boundary: string
      readonly parts: readonly ComposedPart[]
    }

/** Octets of a line of a header, its end not counted (RFC 5322 §2.1.1, RFC 2047 §2). */
const LINE_BYTES = 76
/** Octets of a line of a body (RFC 5322 §2.1.1). */
const BODY_LINE_BYTES_MAX = 998
/** Octets of text in one encoded word, so that it and the name of its field fit a line. */
const WORD_BYTES = 39

/** A whole message: the fields, each a line folded as it shall be, then its content. All is ASCII but attached messages, and addresses beyond it. */
export function composeMessage(fields: readonly string[], content: ComposedPart): Octets {
  return concatOctets([
    fromUtf8([...fields, 'MIME-Version: 1.0', ''].join('\r\n')),
    composeEntity(content),
  ])
}

/** A part with the header that tells of it: ASCII, whatever its texts hold. */
export function composeEntity(part: ComposedPart): Octets {
  if (part.kind === 'multipart') {
    const { subtype, boundary, parts } = part
    return concatOctets([
      fromLatin1(`Content-Type: multipart/${subtype}; boundary="${boundary}"\r\n\r\n`),
      ...parts.flatMap((child) => [
        fromLatin1(`--${boundary}\r\n`),
        composeEntity(child),
        fromLatin1('\r\n'),
      ]),
      fromLatin1(`--${boundary}--\r\n`),
    ])
  }
  const type = part.kind === 'text' ? `text/${part.subtype}; charset=utf-8` : part.type
  const { encoding, octets } =
    part.kind === 'text' ? encodedText(part.text) : encodedOctets(part.type, part.octets)
  const fields = [
    `Content-Type: ${type}`,
    ...(part.fields ?? []),
    `Content-Transfer-Encoding: ${encoding}`,
    '\r\n',
  ]
  return concatOctets([fromLatin1(fields.join('\r\n')), octets])
}

interface Encoded {
  readonly encoding: string
  readonly octets: Octets
}

/** Line ends become CRLF. ASCII stays as it is; anything else is base64, so that no relay has to convert it. */
function encodedText(text: string): Encoded {
  const octets = fromUtf8(text.replace(/\r\n|\r|\n/g, '\r\n'))
  return isPlain(octets) ? { encoding: '7bit', octets } : base64(octets)
}

/** A message within stays as it is: it must not be encoded (RFC 2046 §5.2.1). */
function encodedOctets(type: string, octets: Octets): Encoded {
  if (!/^message\/rfc822\b/i.test(type)) return base64(octets)
  return { encoding: isAscii(octets) ? '7bit' : '8bit', octets }
}

function isPlain(octets: Octets): boolean {
  if (!isAscii(octets) || octets.includes(0)) return false
  const buffer = bufferOf(octets)
  for (let at = 0; at < buffer.length;) {
    const end = buffer.indexOf('\r\n', at)
    const lineEnd = end < 0 ? buffer.length : end
    if (lineEnd - at > BODY_LINE_BYTES_MAX) return false
    at = lineEnd + 2
  }
  return true
}

const base64 = (octets: Octets): Encoded => ({
  encoding: 'base64',
  octets: fromLatin1(
    bufferOf(octets)
      .toString('base64')
      .replace(/.{1,76}/g, '$&\r\n'),
  ),
})

/** A field of text; what is not ASCII goes into encoded words (RFC 2047). Controls become blanks. */
export const textField = (name: string, text: string): string =>
  wordsField(name, text.replace(/[\u0000-\u001f\u007f]+/g, ' '))

/** The same, with controls as encoded words: only what ends a line, and tabs, become blanks. */
export const exactField = (name: string, text: string): string =>
  wordsField(name, text.replace(/[\0\t\r\n]+/g, ' '))

function wordsField(name: string, text: string): string {
  const clean = text.toWellFormed().trim()
  if (isWritten(clean)) return folded(name, clean.split(' '))
  return folded(name, encodedWords(clean))
}

/** As it is in a header, if it cannot be mistaken for an encoded word and no word fills a line. */
const isWritten = (text: string): boolean =>
  /^[\u0020-\u007e]*$/.test(text) && !text.includes('=?') && !/\S{200}/.test(text)

function encodedWords(text: string): string[] {
  const words: string[] = []
  let piece = ''
  const flush = (): void => {
    if (piece !== '') words.push(`=?UTF-8?B?${Buffer.from(piece, 'utf8').toString('base64')}?=`)
    piece = ''
  }
  for (const sign of text) {
    if (Buffer.byteLength(piece + sign) > WORD_BYTES) flush()
    piece += sign
  }
  flush()
  return words
}

/** A field of addresses; `name` may be empty. An address beyond ASCII makes it a message of RFC 6532. */
export function addressField(
  field: string,
  addresses: readonly { readonly name: string; readonly email: string }[],
): string {
  const items = addresses.flatMap(({ name, email }, index) => {
    const comma = index < addresses.length - 1 ? ',' : ''
    return name === '' ? [`${email}${comma}`] : [...phrase(name), `<${email}>${comma}`]
  })
  return folded(field, items)
}

function phrase(given: string): string[] {
  const name = given
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .toWellFormed()
    .trim()
  if (!isWritten(name)) return encodedWords(name)
  if (/^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]+$/.test(name)) return name.split(' ')
  return [`"${name.replace(/["\\]/g, '\\$&')}"`]
}

/** A field of message ids. */
export const idsField = (name: string, ids: readonly string[]): string =>
  folded(
    name,
    ids.map((id) => `<${id}>`),
  )

function folded(name: string, words: readonly string[]): string {
  let field = `${name}:`
  let length = field.length
  for (const word of words) {
    if (length + 1 + word.length > LINE_BYTES && length > name.length + 1) {
      field += '\r\n'
      length = 0
    }
    field += ` ${word}`
    length += 1 + word.length
  }
  return field
}

/** A parameter; RFC 2231 §4 where it is not ASCII. */
export function parameter(name: string, value: string): string {
  const clean = value.replace(/[\u0000-\u001f\u007f]+/g, ' ').toWellFormed()
  if (/^[\u0020-\u007e]{0,60}$/.test(clean)) return `${name}="${clean.replace(/["\\]/g, '\\$&')}"`
  const octets = encodeURIComponent(clean).replace(/['()*!]/g, percent)
  if (octets.length <= 60) return `${name}*=UTF-8''${octets}`
  const pieces = octets.match(/(?:%[0-9A-F]{2}|[^%]){1,16}/g) ?? []
  return pieces
    .map((piece, index) => `${name}*${index}*=${index === 0 ? "UTF-8''" : ''}${piece}`)
    .join(';\r\n ')
}

const percent = (sign: string): string =>
  `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
