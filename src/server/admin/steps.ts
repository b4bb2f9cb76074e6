import type { FastifyRequest } from 'fastify'
import type { Outcome } from '#base/outcome.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryChangeRecord } from '#store/directory/directory-log.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import { authorOf, taken } from './context.ts'
import type { AdminDeps } from './context.ts'
import { ApiError } from './errors.ts'

/** Rows of one write: whoever else changes the directory comes in between. */
const ROWS_AT_ONCE = 1_000
const UNDO_ROWS_MAX = 40_000
const PAGE_ROWS = 2_000

interface Written {
  /** What takes it back; absent where nothing was written. */
  readonly undo?: string
  readonly pending: { node: string; reason: string }[]
}

/** Writes what is made of each item, in steps; a step that is refused ends it, and those before it stand. */
export async function writeInSteps<T>(
  deps: AdminDeps,
  request: FastifyRequest,
  items: readonly T[],
  make: (
    now: Directory,
    items: readonly T[],
  ) => Outcome<readonly DirectoryEdit[], DirectoryRefusal>,
): Promise<Written> {
  const spans: string[] = []
  for (let at = 0; at < items.length; at += ROWS_AT_ONCE) {
    const some = items.slice(at, at + ROWS_AT_ONCE)
    let count = 0
    const done = await deps.directory.update((now) => {
      const made = make(now, some)
      count = made.ok ? made.value.length : 0
      return made
    }, authorOf(request))
    const { seq } = taken(done)
    if (count > 0) spans.push(`${seq - count + 1}-${seq}`)
  }
  return {
    ...(spans.length > 0 && { undo: spans.join(' ') }),
    pending: [...(await deps.hub.settled())],
  }
}

/** A row as it was before some changes and after the last of them; secrets are left out. */
export type RowChange = Pick<DirectoryChangeRecord, 'key' | 'before' | 'after'>

/**
 * Each row that the changes of an `undo` are about. It is no secret: whoever takes it says which rows
 * count. Throws where the log does not go back so far.
 */
export async function rowsOfUndo(
  deps: AdminDeps,
  undo: string,
  counts: (key: string) => boolean,
): Promise<readonly RowChange[]> {
  const spans = undo.split(' ').map((span) => /^(\d{1,15})-(\d{1,15})$/.exec(span))
  const rows = new Map<string, RowChange>()
  for (const span of spans.toReversed()) {
    const [first, last] = [Number(span?.[1]), Number(span?.[2])]
    if (!(first <= last) || last - first >= UNDO_ROWS_MAX) throw noUndo()
    for (let before = last + 1; before > first;) {
      const limit = Math.min(PAGE_ROWS, before - first)
      const { items } = await deps.directoryLog.history({ before, limit })
      if (items.length < limit) throw noUndo()
      for (const { key, before: was, after } of items)
        rows.set(key, { key, before: was, after: rows.get(key)?.after ?? after })
      before -= limit
    }
  }
  for (const key of rows.keys()) if (!counts(key)) throw noUndo()
  return [...rows.values()]
}

const noUndo = (): ApiError =>
  new ApiError(
    'notFound',
    'there is no such change any more',
    'Send the undo of an answer to a change of it.',
  )
