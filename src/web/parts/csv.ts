import type { Column } from './data-table.tsx'

import { ask, queryOf } from './api.ts'
import { csvLine } from './csv-line.ts'
import type { Page, Query } from './rows-of.ts'

/** Rows asked for at once. */
const PAGE_ROWS = 2_000

/** What stands in a column of a file, for people and for programs. */
export interface CsvColumn<Row> {
  readonly name: string
  readonly text: (row: Row) => string
}

/** The columns that have a text of their own, as they are shown. */
export const csvColumns = <Row>(columns: readonly Column<Row>[]): readonly CsvColumn<Row>[] =>
  columns.flatMap(({ label, name, text }) =>
    text === undefined ? [] : [{ name: name ?? (typeof label === 'string' ? label : ''), text }],
  )

/**
 * A whole list as CSV (RFC 4180), page by page; it begins with a mark by which Excel knows UTF-8.
 * A list that changes meanwhile is told as it was when each page was asked for.
 */
export async function csvOf<Row>(asked: {
  readonly path: string
  readonly query: Query
  readonly columns: readonly CsvColumn<Row>[]
  /** Those rows alone. */
  readonly only?: (row: Row) => boolean
  readonly signal: AbortSignal
  readonly onRows: (count: number) => void
}): Promise<Blob> {
  const { path, query, columns, only = () => true, signal, onRows } = asked
  const parts: BlobPart[] = ['\uFEFF', csvLine(columns.map(({ name }) => name))]
  let count = 0
  let after: string | undefined
  do {
    const page: Page<Row> = await ask(
      'GET',
      `${path}${queryOf({ ...query, limit: PAGE_ROWS, after })}`,
      { signal },
    )
    const lines = page.items
      .filter(only)
      .map((row) => csvLine(columns.map(({ text }) => text(row))))
    // A blob of each page, so that the browser may keep what is done out of memory.
    parts.push(new Blob([lines.join('')]))
    count += page.items.length
    onRows(count)
    after = page.next
  } while (after !== undefined)
  return new Blob(parts, { type: 'text/csv;charset=utf-8' })
}

/** Gives the browser's user a file. */
export function saveFile(name: string, blob: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
