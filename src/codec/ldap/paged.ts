import { emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Outcome } from '#base/outcome.ts'
import { BerReader, Malformed, integer, octetString, sequence } from './ber.ts'
import type { LdapControl } from './message.ts'
import { decoded } from './response.ts'

export const PAGED_OID = '1.2.840.113556.1.4.319'

/** Asks for a page of results (RFC 2696 §2); the first one has no cookie. */
export const pagedControl = (size: number, cookie: Octets = emptyOctets): LdapControl => ({
  oid: PAGED_OID,
  value: sequence(integer(size), octetString(cookie)),
})

/** How many entries a client wants, and where it goes on (RFC 2696 §3); undefined: it wants no pages. */
export function pageAsked(
  controls: readonly LdapControl[],
): Outcome<{ readonly size: number; readonly cookie: Octets } | undefined, string> {
  const value = controls.find(({ oid }) => oid === PAGED_OID)?.value
  return decoded(() => {
    if (value === undefined) return undefined
    const parts = new BerReader(value).enter()
    const size = parts.integer()
    if (size < 0) throw new Malformed('a page of no size')
    return { size, cookie: parts.octets() }
  })
}

/** Where the next page goes on; undefined behind the last one, and where the server pages nothing. */
export function nextPage(controls: readonly LdapControl[]): Outcome<Octets | undefined, string> {
  const value = controls.find(({ oid }) => oid === PAGED_OID)?.value
  return decoded(() => {
    if (value === undefined) return undefined
    const parts = new BerReader(value).enter()
    parts.integer() // an estimate of how many there are
    const cookie = parts.octets()
    return cookie.length === 0 ? undefined : cookie
  })
}
