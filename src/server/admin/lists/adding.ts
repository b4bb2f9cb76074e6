import type { FastifyRequest } from 'fastify'
import { ok } from '#base/outcome.ts'
import type { AddedRow } from '#contract/admin/lists.ts'
import { wished } from '#engine/list/edits.ts'
import type { MemberWish } from '#engine/list/edits.ts'
import { PASTED_MAX, readPasted } from '#engine/list/pasted.ts'
import type { NotMeant, Pasted } from '#engine/list/pasted.ts'
import { memberKey } from '#model/list-member.ts'
import type { MemberRef } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import { checkRow } from '#store/directory/check-edits.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { authorOf } from '#server/admin/context.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { ApiError } from '#server/admin/errors.ts'
import { memberBody, personBody } from './shown.ts'
import { writeInSteps } from '#server/admin/steps.ts'

const ROWS_MAX = 100_000

export interface Adding {
  /** Mixed, as `readPasted` takes it. */
  readonly text: string
  readonly filters?: readonly MemberRef[]
  /** How whoever stands in this line is to be in. */
  readonly how: (line: number) => Omit<MemberWish, 'who'>
  readonly isPreview: boolean
}

interface Planned {
  readonly wish: MemberWish
  readonly row: AddedRow
}

/** Adds whoever is meant, each by itself: what is unclear or unknown is told, and the rest is added. */
export async function addMembers(
  deps: AdminDeps,
  request: FastifyRequest,
  list: MailingList['id'],
  { text, filters = [], how, isPreview }: Adding,
) {
  const { directory } = deps.directory
  const pasted = await readPasted(text, directory)
  if (pasted.length > PASTED_MAX)
    throw new ApiError('limit', `more than ${PASTED_MAX} at once`, 'Send them in several requests.')
  const act = { list, atMs: deps.clock.nowMs(), by: authorOf(request).who }
  const plan = (now: Directory, wish: MemberWish, row: Pick<AddedRow, 'line' | 'text'>) =>
    planned(now, wish, row, act)
  const rows: AddedRow[] = []
  const wishes: Planned[] = []
  const seen = new Set<string>()
  const take = ({ wish, row }: Planned): void => {
    rows.push(row)
    const key = memberKey({ who: wish.who, as: wish.as ?? 'member' })
    if (seen.has(key) || (row.outcome !== 'added' && row.outcome !== 'changed')) return
    seen.add(key)
    wishes.push({ wish, row })
  }
  for (const each of pasted) {
    const { line, text: said, meant } = each
    if (meant.kind !== 'member') rows.push(notMeant(directory, each))
    else take(plan(directory, { who: meant.who, ...how(line) }, { line, text: said }))
  }
  for (const who of filters)
    take(plan(directory, { who, ...how(0) }, { text: who.kind === 'filter' ? who.filter : '' }))
  if (directory.members(list).reduce((sum) => sum + 1, wishes.length) > ROWS_MAX)
    throw new ApiError('limit', `a list has ${ROWS_MAX} rows at most`, 'Make lists within it.')
  if (isPreview || wishes.length === 0) return { rows, pending: [] }
  const done = await writeInSteps(deps, request, wishes, (now, some) =>
    ok(
      some.flatMap(({ wish }): DirectoryEdit[] => {
        const member = wished(now, wish, act)
        return member === undefined ? [] : [{ kind: 'put', row: { kind: 'member', member } }]
      }),
    ),
  )
  return { rows, ...done }
}

function planned(
  now: Directory,
  wish: MemberWish,
  row: Pick<AddedRow, 'line' | 'text'>,
  act: Parameters<typeof wished>[2],
): Planned {
  const before = now.member(act.list, memberKey({ who: wish.who, as: wish.as ?? 'member' }))
  const member = wished(now, wish, act)
  if (member === undefined)
    return { wish, row: { ...row, outcome: 'same', member: memberBody(now, before!) } }
  const refusal = checkRow(now, { kind: 'member', member })
  const shown = { ...row, member: memberBody(now, member) }
  if (refusal !== undefined)
    return { wish, row: { ...shown, outcome: 'refused', note: refusal.message } }
  return { wish, row: { ...shown, outcome: before === undefined ? 'added' : 'changed' } }
}

function notMeant(now: Directory, { line, text, meant }: Pasted): AddedRow {
  if (meant.kind === 'unclear')
    return {
      line,
      text,
      outcome: 'unclear',
      candidates: meant.candidates.map((id) => personBody(now, id)),
      ...(meant.isPart === true
        ? { why: 'part', note: 'it is a part of these names' }
        : { why: 'several', note: 'several are called so' }),
    }
  const why = meant.kind === 'unknown' ? { why: meant.why, note: NOT_MEANT[meant.why] } : {}
  return { line, text, outcome: 'unknown', ...why }
}

const NOT_MEANT: Readonly<Record<NotMeant, string>> = {
  tooLong: 'it is too long',
  deleted: 'the account was deleted',
  nobody: 'nobody is called so',
  circle: 'the address leads back to itself',
  noAddress: 'nobody has this address',
}
