import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import { equalAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

import { writtenLocalpart } from './header-view.ts'

/** Addresses that one notification goes to. */
const MAILTO_RECIPIENTS_MAX = 5
/** Characters of a URI. */
const MAILTO_LENGTH_MAX = 2_000

/**
 * What a mailto URI asks for (RFC 6068). Of its fields those that say whom and what; all others are left
 * out: a script sends no mail that looks like another's (RFC 5436 §2.7, §5).
 */
export interface Mailto {
  /** All of them, each once. */
  readonly recipients: readonly Address[]
  /** Those that everybody is told of. */
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  readonly subject?: string
  readonly body?: string
}

/** Signs of a URI and, beyond RFC 6068 §2, letters of any language as they are typed. */
const TO = /^[\w\-.~!$'()*+,:@%\u0080-\u{10ffff}]*$/u
const QUERY = /^[\w\-.~!$'()*+,;:@%/?=&\u0080-\u{10ffff}]*$/u
/** RFC 5322 §2.2 */
const FIELD_NAME = /^[!-9;-~]*$/

/** Why it is none that a notification goes to is said for whoever wrote it. */
export function parseMailto(uri: string): Outcome<Mailto, string> {
  if (uri.length > MAILTO_LENGTH_MAX)
    return err(`the URI has more than ${MAILTO_LENGTH_MAX} characters`)
  const matched = /^mailto:([^?#]*)(?:\?([^#]*))?$/i.exec(uri)
  if (matched === null) return err('the method is not a mailto: URI')
  const [, to = '', query] = matched
  if (!TO.test(to) || !QUERY.test(query ?? ''))
    return err('the URI has a sign that must be escaped')
  const texts: { readonly field: 'to' | 'cc' | 'bcc'; readonly text: string }[] = [
    { field: 'to', text: to },
  ]
  const found: { subject?: string; body?: string } = {}
  // A semicolon that HTML has made of `&` is none of ours (RFC 6068 §5).
  for (const header of query?.split('&') ?? []) {
    const [rawName = '', rawValue = ''] = header.split(/=(.*)/s)
    const name = decoded(rawName)?.toLowerCase()
    const value = decoded(rawValue)
    if (name === undefined || value === undefined) return err('the URI has a broken escape')
    if (!FIELD_NAME.test(name)) return err(`"${header.slice(0, 100)}" is no field of a URI`)
    if (name === 'to' || name === 'cc' || name === 'bcc')
      texts.push({ field: name, text: rawValue })
    else if (name === 'subject' || name === 'body') found[name] = value
  }
  const recipients: Address[] = []
  const named = { to: [] as Address[], cc: [] as Address[], bcc: [] as Address[] }
  for (const { field, text } of texts) {
    const some = addressesIn(text)
    if (some === undefined) return err(`"${text.slice(0, 100)}" is not an address`)
    for (const address of some)
      if (!recipients.some((other) => equalAddress(other, address))) {
        recipients.push(address)
        named[field].push(address)
      }
  }
  if (recipients.length === 0) return err('the URI names nobody')
  if (recipients.length > MAILTO_RECIPIENTS_MAX)
    return err(`the URI names more than ${MAILTO_RECIPIENTS_MAX} addresses`)
  return ok({ recipients, to: named.to, cc: named.cc, ...found })
}

/** Commas part addresses, written as `%2C` too, as other programs write them. Undefined where one is none. */
function addressesIn(escaped: string): readonly Address[] | undefined {
  const text = decoded(escaped)
  if (text === undefined) return undefined
  const addresses: Address[] = []
  for (const { mailbox = '', host = '' } of parseAddressList(text)) {
    const parsed = parseAddress(`${writtenLocalpart(mailbox)}@${host}`)
    if (!parsed.ok) return undefined
    addresses.push(parsed.value)
  }
  return addresses
}

/** Undefined where an escape is broken, or makes no UTF-8. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
