import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { DirectoryMaps } from './directory-maps.ts'
import type { DirectoryChange, DirectoryKey, DirectoryRow } from './directory.ts'

/**
 * A page of rows as JSON, as they lie in the database: whoever only passes them on, the storage's
 * process and control on the way to its nodes, makes no objects of them.
 */
export interface RowsText {
  /** Where the copy or the log ends. */
  readonly seq: number
  /** An array of `{row}`, with its `key` where it is on its way to a node. */
  readonly json: Octets
  /** Where the next page begins; absent at the end. */
  readonly next?: number
}

/** A row with its name, as replicas keep it. */
export interface KeyedRow {
  readonly key: DirectoryKey
  readonly row: DirectoryRow
}

export const readRows = ({ json }: { readonly json: Octets }): readonly Pick<KeyedRow, 'row'>[] =>
  JSON.parse(bufferOf(json).toString('utf8')) as readonly Pick<KeyedRow, 'row'>[]

export const readChanges = ({ json }: { readonly json: Octets }): readonly DirectoryChange[] =>
  JSON.parse(bufferOf(json).toString('utf8')) as readonly DirectoryChange[]

const PAGE_ROWS = 2_000

/**
 * A whole copy in memory, page by page: the next one is under way while one is taken in, and whoever
 * else waits for this process comes in between.
 */
export async function readWhole(
  page: (ask: { readonly after: number; readonly limit: number }) => Promise<RowsText>,
): Promise<{ readonly seq: number; readonly maps: DirectoryMaps }> {
  const maps = new DirectoryMaps()
  let seq = 0
  let coming: Promise<RowsText> | undefined = page({ after: 0, limit: PAGE_ROWS })
  while (coming !== undefined) {
    const text: RowsText = await coming
    seq = text.seq
    coming = text.next === undefined ? undefined : page({ after: text.next, limit: PAGE_ROWS })
    coming?.catch(() => undefined) // thrown where it is awaited
    for (const { row } of readRows(text)) maps.put(row)
  }
  return { seq, maps }
}

/** A page of changes as JSON, an array of `{seq, key, row}`; RowsText says why. */
export interface ChangesText {
  readonly seq: number
  readonly json: Octets
  /** The number of the last one here; absent where there are none. */
  readonly last?: number
  /** Changes after `since` are gone already: only the rows tell what has become of them. */
  readonly isCut: boolean
}
