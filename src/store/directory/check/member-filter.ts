import { asciiLower } from '#base/text.ts'
import { dnKeyOf, parseDn } from '#codec/ldap/dn.ts'
import { parseFilter } from '#codec/ldap/filter.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import type { MemberRef } from '#model/list-member.ts'
import { ALL_PEOPLE } from '#model/list-words.ts'
import type { Directory } from '#store/directory/directory.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import { NO_LINE } from './line.ts'

const FILTER_LENGTH_MAX = 1_000

/** Undefined where lists may ask this of a source's people, or of ours. */
export function checkFilter(
  directory: Directory,
  { source, base = '', filter }: MemberRef & { readonly kind: 'filter' },
): DirectoryRefusal | undefined {
  const of = directory.source(source)
  if (of === undefined && source !== ALL_PEOPLE)
    return refuse(
      'notFound',
      `there is no source ${source}`,
      'watari directory sources ls shows them.',
    )
  if (filter === '' || `${base}${filter}`.length > FILTER_LENGTH_MAX || NO_LINE.test(base + filter))
    return refuse(
      'invalid',
      `a filter is one line of at most ${FILTER_LENGTH_MAX} characters, with its base`,
      'Give one such as (memberOf=cn=staff,ou=groups,dc=example).',
    )
  const parsed = parseFilter(filter)
  if (!parsed.ok)
    return refuse('invalid', `${filter}: ${parsed.error}`, 'Give one such as (ou=physics).')
  const secret = secretIn(parsed.value)
  if (secret !== undefined)
    return refuse(
      'invalid',
      `${secret} is secret: who gets posts is not decided by it`,
      'Ask for something else, such as (ou=physics).',
    )
  if (base !== '' && (of === undefined || !isBelow(base, of.base)))
    return refuse(
      'invalid',
      of === undefined
        ? 'our own directory has no base'
        : `${base} does not lie below ${of.base}, which is all that is read of ${source}`,
      'Leave it out to ask for all people.',
    )
  return undefined
}

/** What is secret that a filter asks for. */
export const secretIn = (filter: Filter): string | undefined =>
  typesIn(filter).find((type) => SECRETS.has(bareType(type)))

/** Answers to filters would tell, sign by sign, what only their own server may compare. */
const SECRETS: ReadonlySet<string> = new Set([
  'userpassword',
  '2.5.4.35',
  'authpassword',
  '1.3.6.1.4.1.4203.1.3.4',
  'unicodepwd',
  'dbcspwd',
  'ntpwdhistory',
  'lmpwdhistory',
  'sambantpassword',
  'sambalmpassword',
  'sambapasswordhistory',
  'pwdhistory',
  'krbprincipalkey',
  'oathsecret',
  'watariscram',
  'watarirest',
  'watarisaltkey',
])

const bareType = (type: string): string => asciiLower(type).split(';')[0]!

function typesIn(filter: Filter): readonly string[] {
  if ('filters' in filter) return filter.filters.flatMap(typesIn)
  if (filter.kind === 'not') return typesIn(filter.filter)
  // Without a type it asks all attributes (RFC 4511 §4.5.1.7.7).
  return [filter.type ?? 'userPassword']
}

function isBelow(base: string, top: string): boolean {
  const [parts, above] = [parseDn(base), parseDn(top)]
  if (parts === undefined || above === undefined || parts.length < above.length) return false
  return dnKeyOf(parts.slice(parts.length - above.length)) === dnKeyOf(above)
}
