import type { SqlValue } from '#store/mailbox/rows/sql.ts'
import type { Place, Source } from './source.ts'

/** What every row begins with. */
export type Readable = readonly [uid: number, isGone: number, ...SqlValue[]]

/**
 * Rows of the messages that are there, in no order, and of expunged ones that are not released yet: a
 * session may still show them. `columns` are those of `x` (message) and `e` (email), behind Readable's own.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what the columns are, by our own word
export function readableRows<Row extends Readable>(
  { sql, held }: Pick<Source, 'sql' | 'held'>,
  ask: { readonly place: Place; readonly uids: ArrayLike<number>; readonly columns: string },
): readonly Row[] {
  const { place, uids, columns } = ask
  if (uids.length === 0) return []
  const { aid } = place.account
  const span = spanOf(uids)
  const select = `SELECT x.uid, is_gone, ${columns} FROM`
  const found =
    span === undefined
      ? sql.all<Row>(`${select} ${AMONG}`, aid, place.mid, JSON.stringify(Array.from(uids)))
      : sql.all<Row>(`${select} ${WITHIN}`, aid, place.mid, ...span.ends)
  const rows = span?.isFull === false ? asked(found, uids) : found
  if (rows.some((row) => row[1] === 1)) held.note(aid, place.mid)
  return rows
}

// `+eid`: else the index of expunged emails would be gone through, all of the account's.
const rowsWith = (uids: string): string => `(
  SELECT uid, eid, uidl, 0 AS is_gone FROM message
  WHERE aid = ?1 AND mid = ?2 AND uid ${uids}
  UNION ALL
  SELECT uid, eid, uidl, 1 AS is_gone FROM gone
  WHERE aid = ?1 AND mid = ?2 AND uid ${uids} AND +eid IS NOT NULL
) x JOIN email e ON e.aid = ?1 AND e.eid = x.eid`
const AMONG = rowsWith('IN (SELECT value FROM json_each(?3))')
/** One walk, where the other is a look-up for each. */
const WITHIN = rowsWith('BETWEEN ?3 AND ?4')

/** The first and the last, and whether all between them were asked for; undefined of those that lie far apart. */
function spanOf(
  uids: ArrayLike<number>,
): { readonly ends: readonly [number, number]; readonly isFull: boolean } | undefined {
  let first = uids[0]!
  let last = first
  let isAscending = true
  for (let i = 1; i < uids.length; i++) {
    const uid = uids[i]!
    if (uid <= last) isAscending = false
    if (uid < first) first = uid
    if (uid > last) last = uid
  }
  const span = last - first + 1
  if (span > 2 * uids.length) return undefined
  return { ends: [first, last], isFull: isAscending && span === uids.length }
}

function asked<Row extends Readable>(
  rows: readonly Row[],
  uids: ArrayLike<number>,
): readonly Row[] {
  const wanted = new Set(Array.from(uids))
  return rows.filter(([uid]) => wanted.has(uid))
}
