import type { CensusBody, ImportedBody, ImportedRow } from '#contract/admin/import.ts'

import { ask, queryOf } from '#web/parts/api.ts'

/** Rows of one request: others are served in between. */
const ROWS_AT_ONCE = 1_000

export type ReadFiles = Omit<CensusBody, 'format'>

export interface Outcome {
  readonly rows: readonly ImportedRow[]
}

/** What files say together, each with its name where there are several. */
export async function readFiles(
  files: readonly File[],
  how: { readonly format: string; readonly map: string },
): Promise<ReadFiles> {
  const all: { people: CensusBody['people']; groups: CensusBody['groups'] } & Pick<
    CensusBody,
    'exceptions'
  > = { people: [], groups: [], exceptions: [] }
  for (const file of files) {
    const query = queryOf({ name: file.name, format: how.format, map: how.map })
    const found = await ask<CensusBody>('POST', `/directory/import/read${query}`, { file })
    const named = <Row extends { readonly source: string }>(row: Row): Row =>
      files.length === 1 ? row : { ...row, source: `${file.name}: ${row.source}` }
    all.people.push(...found.people.map(named))
    all.groups.push(...found.groups.map(named))
    all.exceptions.push(...found.exceptions.map(named))
  }
  return all
}

/** Looks at what would become of each, or does it; people before the groups that lead to them. */
export async function importAll(
  { people, groups }: ReadFiles,
  how: { readonly dryRun: boolean; readonly replacePasswords: boolean },
  onRows: (at: number, of: number) => void,
): Promise<Outcome> {
  const rows: ImportedRow[] = []
  const of = people.length + groups.length
  const asks =
    of <= ROWS_AT_ONCE
      ? [{ people, groups }]
      : [
          ...slices(people).map((some) => ({ people: some })),
          ...slices(groups).map((some) => ({ groups: some })),
        ]
  for (const some of asks) {
    const answer = await ask<ImportedBody>('POST', '/directory/import', {
      body: { ...some, ...how },
    })
    rows.push(...answer.rows)
    onRows(rows.length, of)
  }
  return { rows }
}

const slices = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / ROWS_AT_ONCE) }, (_, at) =>
    all.slice(at * ROWS_AT_ONCE, (at + 1) * ROWS_AT_ONCE),
  )

/** How many rows have each outcome. */
export function countsOf(
  rows: readonly ImportedRow[],
): Readonly<Record<ImportedRow['outcome'], number>> {
  const counts = { added: 0, changed: 0, same: 0, refused: 0 }
  for (const { outcome } of rows) counts[outcome]++
  return counts
}
