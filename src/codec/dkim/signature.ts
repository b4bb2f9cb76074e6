import { asciiLower } from '#base/text.ts'

/** What one signature says; in the order of its tags. */
export interface SignatureTags {
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  /** The domain that signs, in A-labels (RFC 8616 §4). */
  readonly domain: string
  readonly selector: string
  readonly signedAtS: number
  readonly expiresAtS?: number
  /** Names of fields, those twice that nobody may add. */
  readonly fields: readonly string[]
  /** SHA-256 of the body, base64. */
  readonly bodyHash: string
}

/** Characters of a line of ours. */
const LINE_LENGTH = 76
const BASE64_LENGTH = 72

/** A DKIM-Signature field without its signature and without its line end (RFC 6376 §3.5). */
export function signatureField(tags: SignatureTags): string {
  const expires = tags.expiresAtS === undefined ? '' : ` x=${tags.expiresAtS};`
  return [
    `DKIM-Signature: v=1; a=${tags.algorithm}; c=relaxed/relaxed; q=dns/txt;`,
    `\td=${tags.domain}; s=${tags.selector};`,
    `\tt=${tags.signedAtS};${expires}`,
    `\th=${folded(tags.fields)};`,
    `\tbh=${tags.bodyHash};`,
    '\tb=',
  ].join('\r\n')
}

/** The field with its signature in base64, ended by CRLF. */
export const signedField = (field: string, signature: string): string =>
  `${field}${signature.replace(new RegExp(`.{${BASE64_LENGTH}}(?=.)`, 'g'), '$&\r\n\t ')}\r\n`

/** Names with colons between; white space around those counts for nothing (RFC 6376 §3.5). */
function folded(names: readonly string[]): string {
  const lines = ['']
  for (const [at, name] of names.entries()) {
    const text = at === names.length - 1 ? name : `${name}:`
    const line = lines.at(-1)!
    if (line !== '' && line.length + text.length > LINE_LENGTH) lines.push(text)
    else lines[lines.length - 1] = line + text
  }
  return lines.join('\r\n\t ')
}

/**
 * A field in its relaxed form (RFC 6376 §3.4.2), without its line end; one character an octet in and
 * out. Undefined for what is no field.
 */
export function relaxedField(raw: string): string | undefined {
  const colon = raw.indexOf(':')
  if (colon < 0) return undefined
  const name = asciiLower(raw.slice(0, colon).trimEnd())
  const value = raw.slice(colon + 1).replaceAll('\r\n', '')
  return `${name}:${value.replaceAll(BLANKS, ' ').replace(/^ | $/g, '')}`
}

const BLANKS = /[ \t]+/g
