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
  const rows =
    since === undefined
      ? sql.iterate<Row>(
          `${COLUMNS} FROM message m WHERE m.aid = ? AND m.mid = ? ORDER BY m.uid`,
          aid,
          mid,
        )
      : sql.iterate<Row>(
          `${COLUMNS} FROM message m INDEXED BY message_modseq
           WHERE m.aid = ? AND m.mid = ? AND m.modseq > ? ORDER BY m.uid`,
          aid,
          mid,
          since,
        )
  const filled = emptyRows(count)
  let at = 0
  for (const [uid, flags, modSeq, size, internalAt, savedAt, eid] of rows) {
    filled.uids[at] = uid
    filled.flags[at] = flags
    filled.modSeqs[at] = modSeq
    filled.sizes[at] = size
    filled.internalDatesMs[at] = internalAt
    filled.savedAtMs[at] = savedAt
    filled.eids[at++] = eid
  }
  if (at !== count) throw new Fault('corrupt', `a mailbox counts ${count} messages and has ${at}`)
  return filled
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
