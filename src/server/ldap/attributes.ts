import { isOf } from '#codec/ldap/match.ts'
import type { DescribedAttribute, Description } from '#codec/ldap/match.ts'

/** Types that entries have, by all their names and numbers in lower case (RFC 4519, RFC 4524, RFC 2798). */
const TYPES: ReadonlyMap<string, string> = new Map(
  (
    [
      ['objectClass', '2.5.4.0'],
      ['cn', 'commonName', '2.5.4.3'],
      ['sn', 'surname', '2.5.4.4'],
      ['givenName', 'gn', '2.5.4.42'],
      ['displayName', '2.16.840.1.113730.3.1.241'],
      ['uid', 'userid', '0.9.2342.19200300.100.1.1'],
      ['mail', 'rfc822Mailbox', '0.9.2342.19200300.100.1.3'],
      ['member', '2.5.4.31'],
      ['o', 'organizationName', '2.5.4.10'],
      ['ou', 'organizationalUnitName', '2.5.4.11'],
      ['dc', 'domainComponent', '0.9.2342.19200300.100.1.25'],
      ['entryDN', '1.3.6.1.1.20'],
      ['structuralObjectClass', '2.5.21.9'],
      ['hasSubordinates', '2.5.18.9'],
    ] as const
  ).flatMap(([type, ...others]) =>
    [type, ...others].map((name) => [name.toLowerCase(), type] as const),
  ),
)

/** Undefined: entries have no such type, so that nothing is known of what is asked of it (RFC 4511 §4.5.1.7). */
export function describe(text: string): Description | undefined {
  const [name = '', ...options] = text.toLowerCase().split(';')
  const type = TYPES.get(name)
  return type === undefined ? undefined : { type, options }
}

export interface BookAttribute extends DescribedAttribute {
  /** Told to those only who ask for it (RFC 4512 §3.4). */
  readonly isOperational?: true
}

/** What stands in front of an attribute's values. */
export const nameOf = ({ type, options }: Description): string => [type, ...options].join(';')

/** An entry as it is told. */
export interface BookEntry {
  readonly dn: string
  readonly attributes: readonly BookAttribute[]
}

/** Those that a search asks for (RFC 4511 §4.5.1.8): none, or `*`, is all that users may see; `+` what is operational; `1.1` nothing. */
export function picked(entry: BookEntry, asked: readonly string[]): readonly BookAttribute[] {
  const isAll = asked.length === 0 || asked.includes('*')
  const isOperational = asked.includes('+') // RFC 3673
  const wanted = asked.flatMap((text) => describe(text) ?? [])
  return entry.attributes.filter(
    (attribute) =>
      (attribute.isOperational === true ? isOperational : isAll) ||
      wanted.some((each) => isOf(attribute, each)),
  )
}
