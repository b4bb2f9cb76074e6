import { ok } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import { Turns } from '#base/turns.ts'
import type { AccountId } from '#model/account.ts'
import type { Moment } from '#model/account-life.ts'
import type { ListMember } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { ChangeAuthor } from '#store/directory/directory-log.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import { rowKey } from '#store/directory/row-key.ts'

/** Rows of one write: whoever else changes the directory comes in between. */
const WRITTEN_AT_ONCE = 1_000
/** Lists of one run; the next takes the rest. */
const DELETIONS_MAX = 100

export interface ListsKept {
  /** Lists that have gone for good. */
  readonly deleted: number
  /** Rows that said who was in a list at some time, and are not kept any more. */
  readonly forgotten: number
}

/**
 * What time does to mailing lists: those that were deleted long enough ago go for good, as accounts do
 * (`account.undeleteDays`), and who was in one long ago is forgotten (`list.historyDays`); the list says
 * from when on it knows.
 */
export async function upkeepOfLists(
  directory: DirectoryMaster,
  by: ChangeAuthor,
): Promise<ListsKept> {
  const lists = directory.directory.lists().toArray()
  const { moment } = directory.directory
  const gone = lists.filter((list) => isGone(list, moment)).slice(0, DELETIONS_MAX)
  let deleted = 0
  for (const { id } of gone) deleted += await removeList(directory, id, by)
  let forgotten = 0
  if (moment.rules.listHistoryDays > 0)
    for (const { id } of lists) forgotten += await forget(directory, id, by)
  return { deleted, forgotten }
}

/** Whether a deleted list cannot be had back any more. */
const isGone = ({ deletedAt }: MailingList, { nowMs, rules }: Moment): boolean =>
  deletedAt !== undefined && Date.parse(deletedAt) + rules.undeleteDays * DAY_MS <= nowMs

/** Members first: a list of which something is left is still one. Its mailboxes go by the store's purge. */
async function removeList(
  directory: DirectoryMaster,
  id: AccountId,
  by: ChangeAuthor,
): Promise<number> {
  const keys = await keysOf(directory, id, () => true)
  for (let at = 0; at <= keys.length; at += WRITTEN_AT_ONCE) {
    const some = keys.slice(at, at + WRITTEN_AT_ONCE)
    const written = await directory.update((now) => {
      const list = now.list(id)
      // Somebody may have had it back meanwhile.
      if (list === undefined || !isGone(list, now.moment)) return ok([])
      const edits = some.map((key): DirectoryEdit => ({ kind: 'remove', key }))
      const isLast = at + WRITTEN_AT_ONCE > keys.length
      return ok(
        isLast ? [...edits, { kind: 'remove', key: rowKey({ kind: 'list', list }) }] : edits,
      )
    }, by)
    if (!written.ok) return 0
  }
  return directory.directory.list(id) === undefined ? 1 : 0
}

/** That something is forgotten is said with the first of it. */
async function forget(
  directory: DirectoryMaster,
  id: AccountId,
  by: ChangeAuthor,
): Promise<number> {
  const { nowMs, rules } = directory.directory.moment
  const fromMs = nowMs - rules.listHistoryDays * DAY_MS
  const keys = await keysOf(directory, id, (row) => kept(row, fromMs) !== row)
  let forgotten = 0
  for (let at = 0; at < keys.length; at += WRITTEN_AT_ONCE) {
    const written = await directory.update((now) => {
      const list = now.list(id)
      if (list === undefined) return ok([])
      const edits = keys.slice(at, at + WRITTEN_AT_ONCE).flatMap((key): DirectoryEdit[] => {
        const row = now.member(id, key.slice(`member:${id}:`.length))
        const after = row && kept(row, fromMs)
        if (row === undefined || after === row) return []
        return after === undefined
          ? [{ kind: 'remove', key }]
          : [{ kind: 'put', row: { kind: 'member', member: after } }]
      })
      forgotten += edits.length
      const historyFrom = new Date(fromMs).toISOString()
      const isTold = edits.length === 0 || list.historyFrom === historyFrom
      return ok(
        isTold
          ? edits
          : [{ kind: 'put', row: { kind: 'list', list: { ...list, historyFrom } } }, ...edits],
      )
    }, by)
    if (!written.ok) break
  }
  return forgotten
}

/** The row without the terms that ended before that moment: itself, another one, or none. */
function kept(row: ListMember, fromMs: number): ListMember | undefined {
  const terms = row.terms.filter(({ until }) => until === undefined || Date.parse(until) > fromMs)
  if (terms.length === row.terms.length) return row
  return terms.length === 0 ? undefined : { ...row, terms }
}

async function keysOf(
  { directory }: DirectoryMaster,
  id: AccountId,
  isMeant: (row: ListMember) => boolean,
): Promise<readonly string[]> {
  const turns = new Turns()
  const keys: string[] = []
  for (const row of directory.members(id)) {
    if (turns.isOver) await turns.next()
    if (isMeant(row)) keys.push(rowKey({ kind: 'member', member: row }))
  }
  return keys
}
