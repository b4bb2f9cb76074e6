import type { KeptView, KeptViews } from './kept-views.ts'
import { KEPT_ROWS_MIN } from './kept-views.ts'
import type { MailboxView } from '#store/mailbox/mailbox-view.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { countSince, goneSince, openedMailbox, readView } from './view.ts'
import type { ViewAsk } from './view.ts'
import { mergedRows, readRows } from './view-rows.ts'
import type { ViewRows } from './view-rows.ts'

interface Parts {
  readonly sql: Sql
  readonly kept: KeptViews
  /** Whether files may be written that nobody needs. */
  readonly hasRoom: () => boolean
  /** Commits by and by. */
  readonly vouch: (apply: () => void) => Promise<void>
}

/** Of so many rows one changed since: what is kept is written anew. */
const CHANGED_SHARE = 32

/** The view of a whole mailbox; of a large one from what is kept of it and what has changed since. */
export async function readWholeView(parts: Parts, ask: ViewAsk): Promise<MailboxView | undefined> {
  const { sql, kept } = parts
  const before = openedMailbox(sql, ask)
  if (before === undefined || before.row.messages < KEPT_ROWS_MIN) return readView(sql, ask)
  const place = { aid: before.aid, mid: before.row.mid }
  const stored = await kept.read(place)
  let fresh: KeptView | undefined
  const view = readView(sql, ask, (row) => {
    const brought = stored && broughtUp(sql, { ...place, row, stored })
    const rows = brought?.rows ?? readRows({ sql, aid: place.aid }, allOf(row))
    if (brought === undefined || brought.changes > row.messages / CHANGED_SHARE)
      fresh = { modSeq: row.modSeq, rows }
    return rows
  })
  if (fresh !== undefined && parts.hasRoom()) kept.keep(place, fresh, parts.vouch)
  return view
}

const allOf = ({ mid, messages }: Mailbox) => ({ mid, count: messages, since: undefined })

/** Undefined where the changes since cannot be told, or cost more than all rows. */
function broughtUp(
  sql: Sql,
  {
    aid,
    mid,
    row,
    stored,
  }: {
    readonly aid: number
    readonly mid: number
    readonly row: Mailbox
    readonly stored: KeptView
  },
): { readonly rows: ViewRows; readonly changes: number } | undefined {
  const { modSeq: since, rows: old } = stored
  // Made anew, brought along behind it, or no more known since.
  const first = Math.max(row.madeModSeq, row.importModSeq, row.purgedModSeq)
  if (since < first || since > row.modSeq) return undefined
  if (since === row.modSeq)
    return old.uids.length === row.messages ? { rows: old, changes: 0 } : undefined
  const count = countSince({ sql, aid }, mid, since)
  if (count > row.messages / 2) return undefined
  const gone = goneSince({ sql, aid }, mid, since)
  const rows = mergedRows(old, {
    rows: readRows({ sql, aid }, { mid, count, since }),
    gone: new Set(gone),
    count: row.messages,
  })
  return rows && { rows, changes: count + gone.length }
}
