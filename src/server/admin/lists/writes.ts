import { isDeepStrictEqual } from 'node:util'
import type { FastifyRequest } from 'fastify'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { memberKey, withoutAnswer } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryChangeRecord } from '#store/directory/directory-log.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import { authorOf, isoTime, taken } from '#server/admin/context.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { ApiError } from '#server/admin/errors.ts'
import { need } from '#server/admin/permission.ts'

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

/**
 * Takes a change of a list and its members back, as long as none of its rows has been changed since. What
 * it answers takes that back in turn. It is no secret: it names rows, and only those of this list count.
 */
export async function undoWrites(
  deps: AdminDeps,
  request: FastifyRequest,
  list: MailingList['id'],
  undo: string,
): Promise<Written> {
  const rows = await rowsOf(deps, list, undo)
  if (rows.some((row) => isOfManagers(row))) need(request, 'lists.write')
  const isAsLeft = (now: Directory, { key, after }: Change): boolean =>
    isDeepStrictEqual(asChanged(rowNow(now, key) ?? null), asChanged(after))
  const newest = rows.find((row) => !isAsLeft(deps.directory.directory, row))
  if (newest !== undefined) throw await changedSince(deps, newest.key)
  return writeInSteps(deps, request, rows, (now, some) => {
    const other = some.find((row) => !isAsLeft(now, row))
    if (other !== undefined)
      return err({
        code: 'conflict',
        message: `${other.key} has been changed meanwhile`,
        remedy: 'Look at it as it is now, then make your change again.',
      })
    return ok(
      some.map(({ key, before }): DirectoryEdit =>
        before === null ? { kind: 'remove', key } : { kind: 'put', row: withAnswer(now, before) },
      ),
    )
  })
}

type Row = NonNullable<Change['before']>

/** What somebody has changed of it: whom a filter names is asked all the time. */
const asChanged = (row: Row | null): unknown =>
  row?.kind === 'member' ? withoutAnswer(row.member) : row

/** A filter as it was, with the answer of now. */
function withAnswer(now: Directory, row: Row): Row {
  if (row.kind !== 'member') return row
  const { resolved, trouble } = now.member(row.member.list, memberKey(row.member)) ?? row.member
  const member = {
    ...withoutAnswer(row.member),
    ...(resolved && { resolved }),
    ...(trouble && { trouble }),
  }
  return { kind: 'member', member }
}

/** It gives back an address, or a list that was made or deleted: no matter of its owners. */
function isOfManagers({ key, before, after }: Change): boolean {
  if (!key.startsWith('list:')) return false
  const own = (row: Change['before']): unknown =>
    row?.kind === 'list' && [row.list.address, row.list.addresses, row.list.deletedAt ?? '']
  return !isDeepStrictEqual(own(before), own(after))
}

type Change = Pick<DirectoryChangeRecord, 'key' | 'before' | 'after'>

/** Each row that was changed, as it was before the first of these changes and after the last. */
async function rowsOf(
  deps: AdminDeps,
  list: MailingList['id'],
  undo: string,
): Promise<readonly Change[]> {
  const spans = undo.split(' ').map((span) => /^(\d{1,15})-(\d{1,15})$/.exec(span))
  const rows = new Map<string, Change>()
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
  for (const key of rows.keys())
    if (key !== `list:${list}` && !key.startsWith(`member:${list}:`)) throw noUndo()
  return [...rows.values()]
}

function rowNow(now: Directory, key: string) {
  const [, list = '', member = ''] = /^member:([^:]*):(.*)$/s.exec(key) ?? []
  if (list !== '') {
    const row = now.member(list as MailingList['id'], member)
    return row && { kind: 'member' as const, member: row }
  }
  const row = now.list(key.slice('list:'.length) as MailingList['id'])
  return row && { kind: 'list' as const, list: row }
}

const noUndo = (): ApiError =>
  new ApiError(
    'notFound',
    'there is no such change of this list any more',
    'Send the undo of an answer to a change of it.',
  )

async function changedSince(deps: AdminDeps, key: string): Promise<ApiError> {
  const { items } = await deps.directoryLog.history({ key, limit: 1 })
  const [last] = items
  return new ApiError(
    'conflict',
    last === undefined
      ? `${key} has been changed since`
      : `${last.by.who} has changed ${key} since, at ${isoTime(last.atMs)}`,
    'Nothing was taken back. Look at it as it is now, then make your change again.',
  )
}
