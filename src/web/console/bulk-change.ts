import type { BulkDone, PlanBody } from '#contract/admin/bulk.ts'

import { ask } from '#web/parts/api.ts'
import { partsOf } from './person-facts.ts'

/** A change of many as it stands in a form; what is empty stays as it is. */
export interface BulkTexts {
  readonly act: '' | 'disable' | 'enable' | 'delete'
  readonly addTags: string
  readonly removeTags: string
  readonly startsOn: string
  readonly expiresOn: string
}

export const noChange: BulkTexts = {
  act: '',
  addTags: '',
  removeTags: '',
  startsOn: '',
  expiresOn: '',
}

type BulkChange = PlanBody['change']

/** What becomes of one of many; `reason`: the request that it was part of has failed. */
export type BulkRow = BulkDone['rows'][number] & { readonly reason?: unknown }

/** What has become of many, and what takes it back. */
export interface BulkOutcome {
  readonly rows: readonly BulkRow[]
  readonly undos: readonly BulkUndo[]
}

interface BulkUndo {
  readonly text: string
  /** Whom it puts back. */
  readonly rows: readonly BulkRow[]
}

/** How far it is, and whether it is to end behind the request that is under way. */
interface Going {
  readonly signal: AbortSignal
  readonly onRows: (done: number) => void
}

/** Of one request: others are served in between, and the page tells how far it is. */
const WRITTEN_AT_ONCE = 1_000
const LOOKED_AT_ONCE = 5_000

/** The change that a form makes; nothing in it: nobody changes. */
export function changeOf(texts: BulkTexts): BulkChange {
  const { act, startsOn, expiresOn } = texts
  const [addTags, removeTags] = [[...partsOf(texts.addTags)], [...partsOf(texts.removeTags)]]
  return {
    ...(act !== '' && (act === 'delete' ? { delete: true } : { disabled: act === 'disable' })),
    ...(addTags.length > 0 && { addTags }),
    ...(removeTags.length > 0 && { removeTags }),
    ...(startsOn !== '' && { startsOn }),
    ...(expiresOn !== '' && { expiresOn }),
  }
}

/** What would become of each. */
export async function lookAtAll(
  ids: readonly string[],
  change: BulkChange,
  signal: AbortSignal,
): Promise<readonly BulkRow[]> {
  const rows: BulkRow[] = []
  for (const users of slices(ids, LOOKED_AT_ONCE)) {
    const body = { where: { users }, change, dryRun: true }
    for (const row of (await ask<BulkDone>('POST', '/users/bulk', { body, signal })).rows)
      rows.push(row)
  }
  return rows
}

/** Changes all whom the preview has changed; those of a request that fails are refused, the others go on. */
export const changeAll = (
  preview: readonly BulkRow[],
  change: BulkChange,
  going: Going,
): Promise<BulkOutcome> =>
  inRequests(
    slices(preview, WRITTEN_AT_ONCE).map((rows) => ({
      rows,
      path: '/users/bulk',
      // Whoever was refused is told so again, with what is the reason now.
      body: { where: { users: rows.map(({ id, address }) => id ?? address) }, change },
    })),
    going,
  )

/** Puts back those that were changed, the last first; what has changed since is refused. */
export const undoAll = ({ undos }: BulkOutcome, going: Going): Promise<BulkOutcome> =>
  inRequests(
    undos
      .toReversed()
      .map(({ text, rows }) => ({ rows, path: '/users/bulk/undo', body: { undo: text } })),
    going,
  )

const STOPPED = { outcome: 'refused', note: 'stopped before', code: 'stopped' } as const

async function inRequests(
  asks: readonly {
    readonly rows: readonly BulkRow[]
    readonly path: string
    readonly body: unknown
  }[],
  { signal, onRows }: Going,
): Promise<BulkOutcome> {
  const rows: BulkRow[] = []
  const undos: BulkUndo[] = []
  for (const { path, body, rows: asked } of asks) {
    if (signal.aborted) {
      rows.push(...asked.map((row) => ({ ...row, ...STOPPED })))
      continue
    }
    try {
      const answer = await ask<BulkDone>('POST', path, { body })
      rows.push(...answer.rows)
      const changed = answer.rows.filter(({ outcome }) => outcome === 'changed')
      if (answer.undo !== undefined) undos.push({ text: answer.undo, rows: changed })
    } catch (reason) {
      rows.push(...asked.map((row) => ({ ...row, outcome: 'refused' as const, reason })))
    }
    onRows(rows.length)
  }
  return { rows, undos }
}

const slices = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  )

/** How many rows have each outcome. */
export function bulkCounts(rows: readonly BulkRow[]): Readonly<Record<BulkRow['outcome'], number>> {
  const counts = { changed: 0, same: 0, refused: 0 }
  for (const { outcome } of rows) counts[outcome]++
  return counts
}
