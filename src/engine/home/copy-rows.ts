import type { LdapConnection } from '#client/ldap/connection.ts'
import { search } from '#client/ldap/search.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { ChangeAuthor, DirectoryLog } from '#store/directory/directory-log.ts'
import type { DirectoryKey, DirectoryRow } from '#store/directory/directory.ts'
import type { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { readRows } from '#store/directory/rows-text.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { isSameRow } from './entry-changes.ts'
import { textsOf } from './entry.ts'
import { all } from './ldap-home.ts'
import { ROWS_ASK, putEntry } from './line.ts'
import { rowOf } from './row-entry.ts'

/** What lies in a home beside the rows that are here. */
export interface Comparison {
  /** Rows that were not there, or otherwise. */
  readonly differing: number
  /** Entries there that no row is here for, by their names. */
  readonly strangers: readonly string[]
}

const PAGE_ROWS = 2_000
const ENTRIES_AT_ONCE = 500

/**
 * Compares a home with the rows that are here, each with each, and with `by` makes it what they are.
 * Entries that no row is here for are told and left.
 */
export async function copyRows(
  connection: LdapConnection,
  parts: {
    readonly base: string
    readonly directory: MemoryDirectory
    readonly log: Pick<DirectoryLog, 'rows'>
    /** Absent: nothing is written. */
    readonly by?: ChangeAuthor
    readonly atMs: number
    readonly onRow?: () => void
  },
): Promise<Comparison> {
  const { base, directory, log, by, atMs, onRow } = parts
  const seen = new Set<DirectoryKey>()
  const strangers: string[] = []
  let differing = 0
  type Lacking = { readonly row: DirectoryRow; readonly there: DirectoryEntry | undefined }
  const write = async (rows: Lacking[]): Promise<void> => {
    differing += rows.length
    if (by !== undefined)
      await all(rows, ({ row, there }) =>
        putEntry(connection, base, {
          put: { key: rowKey(row), row, by, atMs },
          there,
          isGuarded: false,
        }),
      )
    rows.length = 0
  }
  const waiting: Lacking[] = []
  for await (const entry of search(connection, ROWS_ASK(base))) {
    const [key = ''] = textsOf(entry, 'watariKey')
    const row = directory.row(key)
    if (row === undefined) {
      strangers.push(entry.dn)
      continue
    }
    seen.add(key)
    onRow?.()
    const read = rowOf(entry)
    if (!read.ok || !isSameRow(read.value.row, row)) waiting.push({ row, there: entry })
  }
  await write(waiting)
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = await log.rows({ after, limit: PAGE_ROWS })
    for (const { row } of readRows(page)) {
      if (seen.has(rowKey(row))) continue
      waiting.push({ row, there: undefined })
      onRow?.()
      if (waiting.length >= ENTRIES_AT_ONCE) await write(waiting)
    }
    after = page.next
  }
  await write(waiting)
  return { differing, strangers }
}
