import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import type { LdapChange } from '#codec/ldap/message.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { attributesOf, entryOf } from './row-entry.ts'

/**
 * What makes an entry that lies there what it shall be. Attributes that are none of ours stay, and of
 * those with many values only what differs is touched: 10,000 members are not sent anew for one.
 */
export function changesBetween(
  there: DirectoryEntry,
  wanted: DirectoryEntry,
  types: readonly string[] = attributesOf(wanted),
): LdapChange[] {
  const before = valuesByType(there)
  const after = valuesByType(wanted)
  return types.flatMap((type): LdapChange[] => {
    const [old, now] = [before.get(asciiLower(type)), after.get(asciiLower(type))]
    const gone = [...(old ?? [])].filter(([key]) => now?.has(key) !== true).map(valueOf)
    const come = [...(now ?? [])].filter(([key]) => old?.has(key) !== true).map(valueOf)
    if (gone.length === 0 && come.length === 0) return []
    if (now === undefined || now.size < 2)
      return [{ kind: 'replace', type, values: [...(now ?? [])].map(valueOf) }]
    return [
      ...(gone.length > 0 ? [{ kind: 'delete', type, values: gone } as const] : []),
      ...(come.length > 0 ? [{ kind: 'add', type, values: come } as const] : []),
    ]
  })
}

/** Whether two rows are one as entries: what is a set there has no order. */
export const isSameRow = (a: DirectoryRow, b: DirectoryRow): boolean =>
  changesBetween(entryOf(a, ''), entryOf(b, '')).length === 0

const valuesByType = (entry: DirectoryEntry): ReadonlyMap<string, ReadonlyMap<string, Octets>> =>
  new Map(
    entry.attributes.map(({ type, values }) => [
      asciiLower(type),
      new Map(values.map((value) => [bufferOf(value).toString('latin1'), value])),
    ]),
  )

const valueOf = ([, value]: readonly [string, Octets]): Octets => value
