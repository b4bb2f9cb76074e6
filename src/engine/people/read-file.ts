import type { Octets } from '#base/octets.ts'
import { readLdif } from '#codec/ldif/ldif.ts'
import { readTable } from '#codec/table/table.ts'
import { readAliases } from '#codec/unix/aliases.ts'
import type { UnixTarget } from '#codec/unix/aliases.ts'
import { readPasswd } from '#codec/unix/passwd.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { Census, CensusException } from '#model/person.ts'
import type { Preset } from './attribute-map.ts'
import { fromEntries } from './from-entries.ts'
import { fromTable } from './from-table.ts'
import { fromAliases, fromPasswd } from './from-unix.ts'

export const FILE_FORMATS = ['ldif', 'csv', 'passwd', 'aliases'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

/** What a file of people and groups says. */
export async function censusOf(file: {
  readonly octets: Octets
  readonly format: FileFormat
  /** How entries of LDIF are read; absent: each by its classes. */
  readonly preset?: Preset | undefined
  /** What `:include:` of aliases names; undefined where that cannot be read. */
  readonly included: (path: string) => Promise<readonly UnixTarget[] | undefined>
}): Promise<Census> {
  const { octets, format, preset, included } = file
  switch (format) {
    case 'ldif':
      return fromLdif(octets, preset)
    case 'csv':
      return fromTable(readTable(octets))
    case 'passwd':
      return fromPasswd(readPasswd(octets))
    case 'aliases':
      return fromAliases(readAliases(octets), included)
  }
}

/** By the name of the file; undefined: it does not say. */
export function formatOfName(name: string): FileFormat | undefined {
  const text = name.toLowerCase()
  if (/\.(?:csv|tsv|txt)$/.test(text)) return 'csv'
  return FILE_FORMATS.find((each) => text.endsWith(`.${each}`) || text === each)
}

function fromLdif(octets: Octets, preset: Preset | undefined): Census {
  const wrong: CensusException[] = []
  const entries: DirectoryEntry[] = []
  for (const record of readLdif(octets))
    if ('entry' in record) entries.push(record.entry)
    else wrong.push({ source: `line ${record.line}`, text: record.error })
  const census = fromEntries(entries, preset)
  return { ...census, exceptions: [...wrong, ...census.exceptions] }
}
