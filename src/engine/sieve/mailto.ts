import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

/** Addresses that one notification goes to. */
const MAILTO_RECIPIENTS_MAX = 5
/** Characters of a URI. */
const MAILTO_LENGTH_MAX = 2_000

/**
 * What a mailto URI asks for (RFC 6068). Of its fields those that say whom and what; all others are left
 * out: a script sends no mail that looks like another's (RFC 5436 §2.7, §5).
 */
export interface Mailto {
  readonly recipients: readonly Address[]
  readonly subject?: string
  readonly body?: string
}

/** Why it is none that a notification goes to is said for whoever wrote it. */
export function parseMailto(uri: string): Outcome<Mailto, string> {
  if (uri.length > MAILTO_LENGTH_MAX)
    return err(`the URI has more than ${MAILTO_LENGTH_MAX} characters`)
  const matched = /^mailto:([^?#]*)(?:\?([^#]*))?$/i.exec(uri)
  if (matched === null) return err('the method is not a mailto: URI')
  const [, to = '', query = ''] = matched
  // A semicolon that HTML has made of `&` is none of ours (RFC 6068 §5).
  const headers = query === '' ? [] : query.split('&').map((each) => each.split(/=(.*)/s))
  const texts: string[] = to === '' ? [] : to.split(',')
  const found: { subject?: string; body?: string } = {}
  for (const [rawName = '', value = ''] of headers) {
    const name = decoded(rawName)?.toLowerCase()
    if (name === undefined) return err('the URI has a broken escape')
    if (name === 'to' || name === 'cc' || name === 'bcc') texts.push(...value.split(/,|%2c/i))
    else if (name === 'subject' || name === 'body') {
      const text = decoded(value)
      if (text === undefined) return err('the URI has a broken escape')
      found[name] = text
    }
  }
  const recipients: Address[] = []
  for (const text of texts) {
    const plain = decoded(text)?.trim()
    const parsed = plain === undefined ? undefined : parseAddress(plain)
    if (parsed?.ok !== true) return err(`"${text.slice(0, 100)}" is not an address`)
    recipients.push(parsed.value)
  }
  if (recipients.length === 0) return err('the URI names nobody')
  if (recipients.length > MAILTO_RECIPIENTS_MAX)
    return err(`the URI names more than ${MAILTO_RECIPIENTS_MAX} addresses`)
  return ok({ recipients, ...found })
}

/** Undefined where an escape is broken, or makes no UTF-8. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
