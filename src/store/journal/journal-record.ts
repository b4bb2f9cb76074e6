import { zstdCompressSync } from 'node:zlib'
import { bufferOf, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'

/** A row as its columns stand in the table, or the columns of its key. */
export type JournalRow = readonly (number | string | Uint8Array | null)[]

/** What became of a table's rows: those that are there now, whole, and the keys of those that are not. */
export interface TableRows {
  readonly put: readonly JournalRow[]
  readonly drop: readonly JournalRow[]
}

export type RowsByTable = Readonly<Record<string, TableRows>>

/** Where the octets of the volume end: a segment, and the end of what was placed in it. */
export type Position = readonly [file: number, offset: number]

/**
 * What the journal says, each with the next number. Rows are told as they are after a commit, never as
 * a difference: to read a record twice, or a snapshot while rows change, does no harm.
 */
export type JournalRecord = { readonly n: number } & (
  | {
      readonly kind: 'start'
      /** Of the database: how many migrations it has. */
      readonly version: number
      /** The kernel's run: what was written in the same one cannot have been lost with the power. */
      readonly boot: string
      /** The last commit that stands in the database: one above it was never made. */
      readonly after: number
      readonly atMs: number
      readonly to: Position
      /** The columns of each table, in the order of its rows. */
      readonly columns: Readonly<Record<string, readonly string[]>>
    }
  | {
      readonly kind: 'commit'
      readonly atMs: number
      /** Its octets lie between: what was placed there and has no row came to nothing. */
      readonly from: Position
      readonly to: Position
      readonly rows: RowsByTable
      /** The last commit before it that stands: what was told between them came to nothing. Absent in old ones. */
      readonly after?: number
    }
  /** The commit with the number `of` failed after it was told. */
  | { readonly kind: 'undone'; readonly of: number }
  /** All rows, some at a time, between what else changes: read from `snapshotBegins` on, nothing is missing. */
  | { readonly kind: 'snapshotBegins' | 'snapshotEnds' }
  | { readonly kind: 'snapshot'; readonly rows: RowsByTable }
  /** Closed in order. */
  | { readonly kind: 'end' }
)

/** A record as it is stored. */
export interface Packed {
  readonly content: Buffer
  readonly codec: 'raw' | 'zstd'
}

/** Larger records are compressed. */
const RAW_BYTES_MAX = 8 * 1024

export function packJournal(record: JournalRecord): Packed {
  const json = encodeJournal(record)
  return json.length > RAW_BYTES_MAX
    ? { content: zstdCompressSync(json), codec: 'zstd' }
    : { content: json, codec: 'raw' }
}

/** JSON; octets in a row as `{"$": base64}`. No function is asked about each value: most of a million have none. */
export const encodeJournal = (record: JournalRecord): Buffer =>
  Buffer.from(JSON.stringify('rows' in record ? { ...record, rows: told(record.rows) } : record))

/** Throws Fault `corrupt` for what is no record of ours. */
export function decodeJournal(octets: Octets, where: string): JournalRecord {
  try {
    const record = JSON.parse(toUtf8(octets)) as JournalRecord
    if ('rows' in record) revive(record.rows)
    return record
  } catch (cause) {
    throw new Fault('corrupt', `${where}: the record cannot be read`, { cause })
  }
}

/** The rows with octets in a form that JSON has. */
function told(rows: RowsByTable): Record<string, object> {
  const all = (list: readonly JournalRow[]): readonly unknown[] =>
    list.map((row) => (row.some(isObject) ? row.map(cellOf) : row))
  return Object.fromEntries(
    Object.entries(rows).map(([name, { put, drop }]) => [name, { put: all(put), drop: all(drop) }]),
  )
}

const cellOf = (cell: JournalRow[number]): unknown =>
  cell instanceof Uint8Array ? { $: bufferOf(cell).toString('base64') } : cell

/** Puts octets in place of what JSON has of them. */
function revive(rows: RowsByTable): void {
  for (const { put, drop } of Object.values(rows))
    for (const row of [...put, ...drop] as unknown[][])
      for (let at = 0; at < row.length; at++) {
        const cell = row[at]
        if (isObject(cell)) row[at] = Buffer.from((cell as { readonly $: string }).$, 'base64')
      }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
