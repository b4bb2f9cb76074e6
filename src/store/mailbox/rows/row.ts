import type { MailboxPath, SpecialUse, Uid } from '#model/mailbox.ts'
import { mailboxIdOf, modSeqOf, uidValidityOf } from './work.ts'
import type { AccountWork } from './work.ts'
import type { MailboxRow, Retention } from '#store/mailbox/mailbox-view.ts'

/** A row of table `mailbox`. */
export interface Mailbox {
  readonly mid: number
  readonly parent: number
  readonly name: string
  readonly use: SpecialUse | null
  readonly noSelect: boolean
  readonly uidValidity: number
  readonly uidNext: number
  readonly modSeq: number
  readonly madeModSeq: number
  readonly importModSeq: number
  readonly purgedModSeq: number
  readonly messages: number
  readonly unseen: number
  readonly deleted: number
  readonly bytes: number
  /** Null: as above it. */
  readonly retainDays: number | null
  /** Messages that are older count as entered then. */
  readonly retainFrom: number | null
  readonly keywords: readonly string[]
  readonly sortOrder: number | null
  readonly recentUid: number
}

const COLUMNS = `mid, parent, name, use, noselect, uidvalidity, uidnext, modseq, made_modseq,
  import_modseq, purged_modseq, messages, unseen, deleted, bytes, retain_days, retain_from, keywords,
  sort_order, recent_uid`

type Columns = [
  mid: number,
  parent: number,
  name: string,
  use: SpecialUse | null,
  noSelect: number,
  uidValidity: number,
  uidNext: number,
  modSeq: number,
  madeModSeq: number,
  importModSeq: number,
  purgedModSeq: number,
  messages: number,
  unseen: number,
  deleted: number,
  bytes: number,
  retainDays: number | null,
  retainFrom: number | null,
  keywords: string,
  sortOrder: number | null,
  recentUid: number,
]

type Place = Pick<AccountWork, 'sql' | 'aid'>

export function mailboxByMid(work: Place, mid: number): Mailbox | undefined {
  const row = work.sql.get<Columns>(
    `SELECT ${COLUMNS} FROM mailbox WHERE aid = ? AND mid = ?`,
    work.aid,
    mid,
  )
  return row && mailboxFrom(row)
}

export function mailboxAt(work: Place, parent: number, name: string): Mailbox | undefined {
  const row = work.sql.get<Columns>(
    `SELECT ${COLUMNS} FROM mailbox WHERE aid = ? AND parent = ? AND name = ?`,
    work.aid,
    parent,
    name,
  )
  return row && mailboxFrom(row)
}

/** In the order in which they were made. */
export const allMailboxes = (work: Place): Mailbox[] =>
  work.sql
    .all<Columns>(`SELECT ${COLUMNS} FROM mailbox WHERE aid = ? ORDER BY mid`, work.aid)
    .map(mailboxFrom)

function mailboxFrom(row: Columns): Mailbox {
  return {
    mid: row[0],
    parent: row[1],
    name: row[2],
    use: row[3],
    noSelect: row[4] === 1,
    uidValidity: row[5],
    uidNext: row[6],
    modSeq: row[7],
    madeModSeq: row[8],
    importModSeq: row[9],
    purgedModSeq: row[10],
    messages: row[11],
    unseen: row[12],
    deleted: row[13],
    bytes: row[14],
    retainDays: row[15],
    retainFrom: row[16],
    keywords: row[17] === '[]' ? [] : (JSON.parse(row[17]) as string[]),
    sortOrder: row[18],
    recentUid: row[19],
  }
}

export function pathOf(work: Place, row: Mailbox): string[] {
  const path = [row.name]
  for (let parent = row.parent; parent !== 0;) {
    const above = mailboxByMid(work, parent)
    if (above === undefined) break
    path.unshift(above.name)
    parent = above.parent
  }
  return path
}

const FOREVER = 0

const retentionOf = ({ retainDays }: Mailbox): Retention =>
  retainDays === null ? 'inherit' : retainDays === FOREVER ? 'forever' : retainDays

/** How the column says it. */
export const retentionColumn = (retention: Retention): number | null =>
  retention === 'inherit' ? null : retention === 'forever' ? FOREVER : retention

/** The mailbox's own days, else those of the mailbox above it. */
export const inheritedDays = (row: Mailbox, above: number | undefined): number | undefined =>
  row.retainDays === null ? above : row.retainDays === FOREVER ? undefined : row.retainDays

/** As `MailboxRow` says it. */
export function retainDaysOf(work: Place, row: Mailbox): number | undefined {
  let at: Mailbox | undefined = row
  while (at?.retainDays === null) at = mailboxByMid(work, at.parent)
  return at && inheritedDays(at, undefined)
}

/** What the mailboxes above it tell of a mailbox. */
interface Placed {
  readonly path: MailboxPath
  readonly days: number | undefined
}

/** The row as readers see it. */
export function mailboxRow(
  work: Place & Pick<AccountWork, 'tag'>,
  row: Mailbox,
  { path, days }: Placed = { path: pathOf(work, row), days: retainDaysOf(work, row) },
): MailboxRow {
  return {
    id: mailboxIdOf(work.tag, row.mid),
    path,
    ...(row.use === null ? {} : { use: row.use }),
    uidValidity: uidValidityOf(row.uidValidity),
    uidNext: row.uidNext as Uid,
    recentFrom: row.recentUid as Uid,
    highestModSeq: modSeqOf(row.modSeq),
    messages: row.messages,
    unseen: row.unseen,
    deleted: row.deleted,
    sizeBytes: row.bytes,
    subscribed:
      work.sql.get(
        'SELECT 1 FROM subscription WHERE aid = ? AND path = ?',
        work.aid,
        JSON.stringify(path),
      ) !== undefined,
    ...(days === undefined ? {} : { retainDays: days }),
    ...(row.retainFrom === null ? {} : { retainFromMs: row.retainFrom }),
    retention: retentionOf(row),
    ...(row.sortOrder === null ? {} : { sortOrder: row.sortOrder }),
    keywords: row.keywords,
    noSelect: row.noSelect,
  }
}
