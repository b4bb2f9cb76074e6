import type { DescribedAttribute, DescribedEntry, FilterWords } from '#codec/ldap/match.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { partsOf } from '#model/name-parts.ts'

/** An account as filters over our own directory see it, under names that directories have for people. */
export function personEntry(account: Account): DescribedEntry {
  const { username, domain, name = username, reading, profile = {}, tags = [] } = account
  const parts = partsOf(name)
  const mail = [mainAddressOf(account), ...account.addresses].map(formatAddress)
  return {
    attributes: [
      attribute('objectClass', 'top', 'person', 'organizationalPerson', 'inetOrgPerson'),
      attribute('uid', username),
      attribute('watariDomainName', domain),
      attribute('mail', ...mail),
      attribute('cn', name),
      attribute('displayName', name),
      attribute('sn', profile.familyName ?? parts.surname),
      attribute('givenName', profile.givenName ?? parts.givenName),
      { ...attribute('cn', reading), options: ['lang-ja', 'phonetic'] },
      attribute('watariTag', ...tags),
      attribute('title', profile.title),
      attribute('employeeNumber', profile.employeeNumber),
      attribute('externalId', account.externalId),
      attribute('o', profile.organization),
      attribute('ou', profile.department, profile.division),
      attribute('costCenter', profile.costCenter),
      attribute('preferredLanguage', profile.language),
    ].filter(({ values }) => values.length > 0),
  }
}

const attribute = (type: string, ...values: readonly (string | undefined)[]) =>
  ({
    type,
    options: [],
    values: values.filter((value) => value !== undefined),
  }) satisfies DescribedAttribute

/** By all their names in lower case (RFC 4519, RFC 4524, RFC 2798). */
const TYPES: ReadonlyMap<string, string> = new Map(
  [
    ['objectClass'],
    ['uid', 'userid'],
    ['watariDomainName', 'domain'],
    ['mail', 'rfc822Mailbox'],
    ['cn', 'commonName'],
    ['displayName'],
    ['sn', 'surname'],
    ['givenName', 'gn'],
    ['watariTag', 'tag'],
    ['title'],
    ['employeeNumber'],
    ['externalId'],
    ['o', 'organizationName'],
    ['ou', 'organizationalUnitName', 'department', 'departmentNumber', 'division'],
    ['costCenter'],
    ['preferredLanguage'],
  ].flatMap(([type, ...others]) =>
    [type!, ...others].map((each) => [each.toLowerCase(), type!] as const),
  ),
)

/** Texts are compared as searches of mail compare them: width, case and kana say nothing. */
export const PERSON_WORDS: FilterWords = {
  describe: (text) => {
    const [name = '', ...options] = text.toLowerCase().split(';')
    const type = TYPES.get(name)
    return type === undefined ? undefined : { type, options }
  },
  fold: foldText,
}
