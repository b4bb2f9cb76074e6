import { domainToUnicode } from 'node:url'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { asciiLower } from '#base/text.ts'

/**
 * A mailbox address as it was written, parsed once at the edge. The local part keeps its case and
 * its quoting; the domain is lower-case. Past the edge no string is an address.
 */
export interface Address {
  readonly localpart: string
  readonly domain: string
}

export type AddressFault = 'empty' | 'noDomain' | 'badLocalpart' | 'badDomain' | 'tooLong'

const DOMAIN_BYTES_MAX = 255
/** We carry longer local parts than RFC 5321 asks for: BATV and VERP make them. */
const LOCALPART_BYTES_CARRIED_MAX = 255

const bytes = (text: string): number => Buffer.byteLength(text, 'utf8')

/**
 * Parses `local@domain`, quoted local parts and address literals included. Accepts what exists
 * though RFC 5321 forbids it: `a..b@docomo.example`, `.a@`, `a.@` (Japanese carriers), and UTF-8
 * (RFC 6531). Refuses controls, blanks outside quotes and brackets of routes.
 */
export function parseAddress(text: string): Outcome<Address, AddressFault> {
  if (text === '') return err('empty')
  const at = text.startsWith('"') ? closingQuote(text) + 1 : text.indexOf('@')
  if (at <= 0 || text[at] !== '@') return err(at === 0 ? 'badLocalpart' : 'noDomain')
  const localpart = text.slice(0, at)
  const domain = asciiLower(text.slice(at + 1)).normalize('NFC')
  if (!isLocalpart(localpart)) return err('badLocalpart')
  if (bytes(localpart) > LOCALPART_BYTES_CARRIED_MAX) return err('tooLong')
  if (bytes(domain) > DOMAIN_BYTES_MAX) return err('tooLong')
  if (!isDomain(domain)) return err('badDomain')
  return ok({ localpart, domain })
}

function closingQuote(text: string): number {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return -2
}

// Atom text of RFC 5322 §3.2.3 plus dots anywhere plus UTF-8 (RFC 6531 §3.3).
const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\u0080-\u{10ffff}]+$/u
const QUOTED = /^"(?:[^"\\\u0000-\u001f\u007f]|\\[^\u0000-\u001f\u007f])*"$/u

const isLocalpart = (text: string): boolean =>
  (DOT_ATOM.test(text) || QUOTED.test(text)) && !/[\u0080-\u009f\u2028\u2029]/.test(text)

// Underscores occur in real host names; a trailing dot does not belong into mail.
const LABEL =
  /^[A-Za-z0-9_\u00a0-\u{10ffff}](?:[A-Za-z0-9_\-\u00a0-\u{10ffff}]*[A-Za-z0-9_\u00a0-\u{10ffff}])?$/u
const LITERAL = /^\[(?:[0-9.]{7,15}|ipv6:[0-9a-f:.]+)\]$/

/** True for a host name in letters or U-labels, or an address literal (RFC 5321 §4.1.3). */
export const isDomain = (text: string): boolean =>
  LITERAL.test(text) ||
  (text.split('.').every((label) => label.length <= 63 && LABEL.test(label)) &&
    !/[\u2028\u2029\u3002\uff0e\uff61]/.test(text))

export const formatAddress = (address: Address): string => `${address.localpart}@${address.domain}`

/**
 * The form in which domains are compared: ASCII case ignored, A-labels as the U-labels that they
 * stand for (RFC 5890 §2.3.2.1). It is for look-ups only: what is sent stays as it was written.
 */
export function domainKey(domain: string): string {
  if (isPlain(domain)) return domain.toLowerCase()
  const name = asciiLower(domain).normalize('NFC')
  // It answers an empty text to what is no A-label at all.
  return name.includes('xn--') ? domainToUnicode(name) || name : name
}

/** The form of a route's `domain` or `user@domain`. */
export function matchKey(match: string): string {
  const at = match.lastIndexOf('@')
  if (at < 0) return domainKey(match)
  return addressKey({ localpart: match.slice(0, at), domain: match.slice(at + 1) })
}

/**
 * The form in which our own addresses are compared: local parts of ours ignore case, and quotes
 * that need not be there (RFC 5321 §4.1.2).
 */
export function addressKey({ localpart, domain }: Address): string {
  const text = `${localpart}@${domain}`
  if (isPlain(text)) return text.toLowerCase()
  return `${composed(asciiLower(unquoted(localpart)))}@${domainKey(domain)}`
}

/** Whether `addressKey` of the address is this one, which is faster told than made. */
export function hasAddressKey(address: Address, key: string): boolean {
  const { localpart, domain } = address
  const { length } = localpart
  // What is written as its key is: a key is its own.
  if (
    key.length === length + 1 + domain.length &&
    key[length] === '@' &&
    key.startsWith(localpart) &&
    key.endsWith(domain)
  )
    return true
  return addressKey(address) === key
}

/** In NFC; of ASCII, kana and the common kanji nothing is to be composed. */
const composed = (text: string): string => (COMPOSED.test(text) ? text : text.normalize('NFC'))
const COMPOSED = /^[!-~\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]*$/

/** ASCII without quotes and A-labels, as nearly all are: a recipient's look-up makes a dozen keys. */
function isPlain(text: string): boolean {
  let hyphens = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x21 || unit > 0x7e || unit === 0x22) return false
    if (unit === 0x2d) hyphens++
  }
  return hyphens < 2 || !/xn--/i.test(text)
}

/** The local part without its quotes, where it means the same without them. */
function unquoted(localpart: string): string {
  if (!localpart.startsWith('"')) return localpart
  const inside = localpart.slice(1, -1).replace(/\\(.)/gsu, '$1')
  return DOT_ATOM.test(inside) ? inside : localpart
}

/** The same address without quotes that need not be there (RFC 5321 §4.1.2). */
export const withoutQuotes = (address: Address): Address => ({
  ...address,
  localpart: unquoted(address.localpart),
})

export const equalAddress = (a: Address, b: Address): boolean => addressKey(a) === addressKey(b)

/** Cuts `name+detail` (RFC 5233); an address without a detail is returned as it is. */
export function withoutDetail(address: Address): Address {
  const localpart = unquoted(address.localpart)
  const plus = localpart.indexOf('+')
  if (plus <= 0 || localpart.startsWith('"')) return address
  return { ...address, localpart: localpart.slice(0, plus) }
}

/** True where the address can be sent only to a peer with SMTPUTF8 (RFC 6531). */
export const needsSmtpUtf8 = (address: Address): boolean =>
  /[^\u0000-\u007f]/.test(formatAddress(address))
