import { fromUtf8 } from '#base/octets.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { Person, MailGroup } from '#model/person.ts'

/** Entries from which `fromEntries` makes the same people and groups; hashes of passwords do not leave. */
export function toEntries(
  { people, groups }: { readonly people: readonly Person[]; readonly groups: readonly MailGroup[] },
  base: string,
): readonly DirectoryEntry[] {
  return [
    ...['people', 'groups'].map((ou) =>
      entry(`ou=${ou},${base}`, { objectClass: ['organizationalUnit'], ou: [ou] }),
    ),
    ...people.map((person) => personEntry(person, base)),
    ...groups.map(({ address, to }) =>
      entry(`mail=${escaped(address)},ou=groups,${base}`, {
        objectClass: ['watariAlias'],
        mail: [address],
        watariMember: to,
      }),
    ),
  ]
}

function personEntry(person: Person, base: string): DirectoryEntry {
  const { username, domain, name, addresses, forward, quota, disabled } = person
  const { reading, externalId, formerNames, tags, startsOn, expiresOn } = person
  const main = `${username}@${domain ?? ''}`
  const words = (name ?? username).split(/\s+/)
  return entry(`mail=${escaped(main)},ou=people,${base}`, {
    objectClass: ['inetOrgPerson', 'watariAccount'],
    uid: [username],
    cn: [name ?? username],
    sn: [words.at(-1)!],
    ...(name !== undefined && { displayName: [name] }),
    ...(reading !== undefined && { 'displayName;lang-ja;phonetic': [reading] }),
    ...(externalId !== undefined && { employeeNumber: [externalId] }),
    ...(formerNames !== undefined && { watariFormerName: formerNames }),
    ...(tags !== undefined && { watariTag: tags }),
    ...(startsOn !== undefined && { watariStartsOn: [startsOn] }),
    ...(expiresOn !== undefined && { watariExpiresOn: [expiresOn] }),
    mail: [main, ...addresses],
    ...(forward !== undefined && {
      watariForward: forward.to,
      watariKeep: [forward.keep ? 'TRUE' : 'FALSE'],
    }),
    ...(quota?.bytes !== undefined && { watariQuotaBytes: [String(quota.bytes)] }),
    ...(quota?.messages !== undefined && { watariQuotaMessages: [String(quota.messages)] }),
    ...(disabled === true && { watariDisabled: ['TRUE'] }),
  })
}

const entry = (
  dn: string,
  attributes: Readonly<Record<string, readonly string[]>>,
): DirectoryEntry => ({
  dn,
  attributes: Object.entries(attributes).map(([type, values]) => ({
    type,
    values: values.map(fromUtf8),
  })),
})

/** RFC 4514 §2.4. */
const escaped = (value: string): string =>
  value.replace(/[\\",+<>;=]/g, '\\$&').replace(/^[ #]| $/g, '\\$&')
