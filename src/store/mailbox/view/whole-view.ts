import type { KeptView, KeptViews } from './kept-views.ts'
import { KEPT_ROWS_MIN } from './kept-views.ts'
import type { MailboxView } from '#store/mailbox/mailbox-view.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { countSince, goneSince, openedMailbox, readView } from './view.ts'
import type { ViewAsk } from './view.ts'
import { mergedRows, readInTurns, readRows } from './view-rows.ts'
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
export const CHANGED_SHARE = 32
/** Changes that are put in at once. */
const CHANGES_MAX = 32_768

/**
 * The view of a whole mailbox; of a large one from what is kept of it, or else from its rows, some at a
 * time while others get their turn, and in the end from what has changed since.
 */
export async function readWholeView(parts: Parts, ask: ViewAsk): Promise<MailboxView | undefined> {
  const { sql, kept } = parts
  const before = openedMailbox(sql, ask)
  if (before === undefined || before.row.messages < KEPT_ROWS_MIN) return readView(sql, ask)
  const place = { aid: before.aid, mid: before.row.mid }
  let stored = await kept.read(place)
  const isRead = stored === undefined || !isRecent(sql, { ...place, row: before.row, stored })
  if (isRead)
    stored = {
      modSeq: before.row.modSeq,
      rows: await readInTurns({ sql, aid: place.aid }, before.row),
    }
  let fresh: KeptView | undefined
  const view = readView(sql, ask, (row) => {
    const brought = stored && broughtUp(sql, { ...place, row, stored })
    const rows = brought?.rows ?? readRows({ sql, aid: place.aid }, allOf(row))
    if (isRead || brought === undefined || brought.changes > row.messages / CHANGED_SHARE)
      fresh = { modSeq: row.modSeq, rows }
    return rows
  })
  if (fresh !== undefined && parts.hasRoom()) kept.keep(place, fresh, parts.vouch)
  return view
}

interface Standing {
  readonly aid: number
  readonly mid: number
  readonly row: Mailbox
  readonly stored: KeptView
}

/** Whether what changed since can be told, and is put in at once. */
function isRecent(sql: Sql, standing: Standing): boolean {
  const { aid, mid, stored } = standing
  if (!isKnown(standing)) return false
  const changes = countSince({ sql, aid }, mid, stored.modSeq)
  return changes <= Math.min(CHANGES_MAX, stored.rows.uids.length)
}

/** False of a mailbox made anew or brought along behind it, and where what is gone is told no more. */
const isKnown = ({ row, stored: { modSeq } }: Standing): boolean =>
  modSeq >= Math.max(row.madeModSeq, row.importModSeq, row.purgedModSeq) && modSeq <= row.modSeq

const allOf = ({ mid, messages }: Mailbox) => ({ mid, count: messages, since: undefined })

/** Undefined where the changes since cannot be told. */
function broughtUp(
  sql: Sql,
  standing: Standing,
): { readonly rows: ViewRows; readonly changes: number } | undefined {
  if (!isKnown(standing)) return undefined
  const { aid, mid, row, stored } = standing
  const { modSeq: since, rows: old } = stored
  if (since === row.modSeq)
    return old.uids.length === row.messages ? { rows: old, changes: 0 } : undefined
  const count = countSince({ sql, aid }, mid, since)
  const gone = goneSince({ sql, aid }, mid, since)
  const rows = mergedRows(old, {
    rows: readRows({ sql, aid }, { mid, count, since }),
    gone: new Set(gone),
    count: row.messages,
  })
  return rows && { rows, changes: count + gone.length }
}
