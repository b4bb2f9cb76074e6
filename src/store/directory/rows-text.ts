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
  /** An array of `{key, row}`. */
  readonly json: Octets
  /** Where the next page begins; absent at the end. */
  readonly next?: number
}

/** A row with its name, as replicas keep it. */
export interface KeyedRow {
  readonly key: DirectoryKey
  readonly row: DirectoryRow
}

/** A page ends after so many octets, though it was asked for more rows: some rows name thousands. */
const PAGE_BYTES_MAX = 2 * 1024 * 1024

export const readRows = ({ json }: { readonly json: Octets }): readonly KeyedRow[] =>
  JSON.parse(bufferOf(json).toString('utf8')) as readonly KeyedRow[]

export const readChanges = ({ json }: { readonly json: Octets }): readonly DirectoryChange[] =>
  JSON.parse(bufferOf(json).toString('utf8')) as readonly DirectoryChange[]

/** Puts items of JSON together until they are enough; `last` is the place of the last one. */
export function gatherJson<R>(
  found: Iterable<R>,
  limit: number,
  itemOf: (row: R) => { readonly place: number; readonly json: string },
): { readonly json: Octets; readonly last?: number; readonly isFull: boolean } {
  const items: string[] = []
  let length = 0
  let last: number | undefined
  for (const row of found) {
    const { place, json } = itemOf(row)
    items.push(json)
    length += json.length
    last = place
    if (items.length >= limit || length >= PAGE_BYTES_MAX) break
  }
  return {
    json: Buffer.from(`[${items.join(',')}]`),
    ...(last !== undefined && { last }),
    isFull: items.length >= limit || length >= PAGE_BYTES_MAX,
  }
}

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
