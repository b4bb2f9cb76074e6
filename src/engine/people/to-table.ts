import type { Person } from '#model/person.ts'
import { TITLES } from './from-table.ts'

/** Rows from which `fromTable` makes the same people; hashes of passwords do not leave. */
export function toTable(people: readonly Person[]): readonly (readonly string[])[] {
  const { passwordHash: _, ...titles } = TITLES
  const rows = people.map((person) => {
    const { username, domain, name, addresses, forward, quota, disabled } = person
    const row: Readonly<Record<keyof typeof titles, string>> = {
      username,
      address: domain === undefined ? '' : `${username}@${domain}`,
      name: name ?? '',
      reading: person.reading ?? '',
      formerNames: person.formerNames?.join(', ') ?? '',
      tags: person.tags?.join(', ') ?? '',
      externalId: person.externalId ?? '',
      startsOn: person.startsOn ?? '',
      expiresOn: person.expiresOn ?? '',
      addresses: addresses.join(' '),
      forward: forward?.to.join(' ') ?? '',
      keep: forward === undefined ? '' : forward.keep ? 'yes' : 'no',
      quotaBytes: quota?.bytes?.toString() ?? '',
      quotaMessages: quota?.messages?.toString() ?? '',
      disabled: disabled === true ? 'yes' : '',
    }
    return (Object.keys(titles) as (keyof typeof titles)[]).map((column) => row[column])
  })
  return [Object.values(titles), ...rows]
}
