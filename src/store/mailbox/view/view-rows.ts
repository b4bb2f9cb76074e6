import { Fault } from '#base/outcome.ts'
import type { MailboxView } from '#store/mailbox/mailbox-view.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** Rows of a mailbox in UID order, a typed array a column: no object a row. */
export type ViewRows = Pick<
  MailboxView,
  'uids' | 'flags' | 'modSeqs' | 'sizes' | 'internalDatesMs' | 'savedAtMs'
> & { readonly eids: Float64Array }

type Row = [
  uid: number,
  flags: number,
  modSeq: number,
  size: number,
  internalAt: number,
  savedAt: number,
  eid: number,
]

const COLUMNS = 'SELECT m.uid, m.flags, m.modseq, m.size, m.internal_at, m.saved_at, m.eid'

export interface Read {
  readonly mid: number
  readonly count: number
  /** Absent: all. */
  readonly since: number | undefined
}

/** All rows by their key, or those of late by the index of MODSEQ. */
export function readRows(
  { sql, aid }: Pick<AccountWork, 'sql' | 'aid'>,
  { mid, count, since }: Read,
): ViewRows {
  const [text, ...values] =
    since === undefined
      ? ([
          `${COLUMNS} FROM message m WHERE m.aid = ? AND m.mid = ? ORDER BY m.uid`,
          aid,
          mid,
        ] as const)
      : ([
          `${COLUMNS} FROM message m INDEXED BY message_modseq
           WHERE m.aid = ? AND m.mid = ? AND m.modseq > ? ORDER BY m.uid`,
          aid,
          mid,
          since,
        ] as const)
  // Few cost half as much all at once.
  const rows =
    count <= ROWS_PER_TURN ? sql.all<Row>(text, ...values) : sql.iterate<Row>(text, ...values)
  const filled = emptyRows(count)
  const at = fill(filled, 0, rows)
  if (at !== count) throw new Fault('corrupt', `a mailbox counts ${count} messages and has ${at}`)
  return filled
}

/** Rows that are read before others get their turn. */
export const ROWS_PER_TURN = 8_192

/**
 * All rows, each as it was at some time during the call: what changed, came or went meanwhile may be in
 * them or not, and has a greater MODSEQ than the mailbox had before.
 */
export async function readInTurns(
  { sql, aid }: Pick<AccountWork, 'sql' | 'aid'>,
  { mid, messages }: { readonly mid: number; readonly messages: number },
): Promise<ViewRows> {
  let rows = emptyRows(messages)
  let at = 0
  for (;;) {
    if (rows.uids.length < at + ROWS_PER_TURN) rows = resized(rows, at + 2 * ROWS_PER_TURN)
    const before = at
    at = fill(
      rows,
      at,
      sql.all<Row>(
        `${COLUMNS} FROM message m WHERE m.aid = ? AND m.mid = ? AND m.uid > ? ORDER BY m.uid LIMIT ?`,
        aid,
        mid,
        at === 0 ? 0 : rows.uids[at - 1]!,
        ROWS_PER_TURN,
      ),
    )
    if (at < before + ROWS_PER_TURN) return resized(rows, at)
    await new Promise<void>((next) => setImmediate(next))
  }
}

/** Puts rows from `at` on; where they end. */
function fill(into: ViewRows, from: number, rows: Iterable<Row>): number {
  const { uids, flags, modSeqs, sizes, internalDatesMs, savedAtMs, eids } = into
  let at = from
  for (const row of rows) {
    uids[at] = row[0]
    flags[at] = row[1]
    modSeqs[at] = row[2]
    sizes[at] = row[3]
    internalDatesMs[at] = row[4]
    savedAtMs[at] = row[5]
    eids[at++] = row[6]
  }
  return at
}

function resized(rows: ViewRows, count: number): ViewRows {
  if (rows.uids.length === count) return rows
  const next = emptyRows(count)
  for (const name of Object.keys(next) as (keyof ViewRows)[])
    next[name].set(rows[name].subarray(0, count))
  return next
}

const emptyRows = (count: number): ViewRows => ({
  uids: new Uint32Array(count),
  flags: new Uint32Array(count),
  modSeqs: new Float64Array(count),
  sizes: new Float64Array(count),
  internalDatesMs: new Float64Array(count),
  savedAtMs: new Float64Array(count),
  eids: new Float64Array(count),
})

/** The rows without what is gone, and with what changed or came since; undefined unless they are `count` then. */
export function mergedRows(
  old: ViewRows,
  since: { readonly rows: ViewRows; readonly gone: ReadonlySet<number>; readonly count: number },
): ViewRows | undefined {
  const { rows: fresh, gone, count } = since
  const merged = emptyRows(count)
  let at = 0
  const take = (from: ViewRows, row: number): void => {
    // What is beyond the end of a typed array is dropped.
    merged.uids[at] = from.uids[row]!
    merged.flags[at] = from.flags[row]!
    merged.modSeqs[at] = from.modSeqs[row]!
    merged.sizes[at] = from.sizes[row]!
    merged.internalDatesMs[at] = from.internalDatesMs[row]!
    merged.savedAtMs[at] = from.savedAtMs[row]!
    merged.eids[at++] = from.eids[row]!
  }
  let next = 0
  for (let row = 0; row < old.uids.length; row++) {
    const uid = old.uids[row]!
    while (next < fresh.uids.length && fresh.uids[next]! < uid) take(fresh, next++)
    if (fresh.uids[next] === uid) take(fresh, next++)
    else if (!gone.has(uid)) take(old, row)
  }
  while (next < fresh.uids.length) take(fresh, next++)
  return at === count ? merged : undefined
}
