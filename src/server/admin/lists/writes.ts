import { isDeepStrictEqual } from 'node:util'
import type { FastifyRequest } from 'fastify'
import { err, ok } from '#base/outcome.ts'
import { memberKey, withoutAnswer } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { isoTime } from '#server/admin/context.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { ApiError } from '#server/admin/errors.ts'
import { need } from '#server/admin/permission.ts'
import { rowsOfUndo, writeInSteps } from '#server/admin/steps.ts'
import type { RowChange } from '#server/admin/steps.ts'

/**
 * Takes a change of a list and its members back, as long as none of its rows has been changed since. What
 * it answers takes that back in turn. It is no secret: it names rows, and only those of this list count.
 */
export async function undoWrites(
  deps: AdminDeps,
  request: FastifyRequest,
  list: MailingList['id'],
  undo: string,
): ReturnType<typeof writeInSteps> {
  const isOfList = (key: string): boolean =>
    key === `list:${list}` || key.startsWith(`member:${list}:`)
  const rows = await rowsOfUndo(deps, undo, isOfList)
  if (rows.some((row) => isOfManagers(row))) need(request, 'lists.write')
  const isAsLeft = (now: Directory, { key, after }: RowChange): boolean =>
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

type Row = NonNullable<RowChange['before']>

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
function isOfManagers({ key, before, after }: RowChange): boolean {
  if (!key.startsWith('list:')) return false
  const own = (row: RowChange['before']): unknown =>
    row?.kind === 'list' && [row.list.address, row.list.addresses, row.list.deletedAt ?? '']
  return !isDeepStrictEqual(own(before), own(after))
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
