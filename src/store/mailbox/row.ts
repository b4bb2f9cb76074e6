import type { MailboxPath, SpecialUse, Uid } from '#model/mailbox.ts'
import { mailboxIdOf, modSeqOf, uidValidityOf } from './work.ts'
import type { AccountWork } from './work.ts'
import type { MailboxRow } from './mailbox-view.ts'

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
  readonly retainDays: number | null
  readonly keywords: readonly string[]
}

const COLUMNS = `mid, parent, name, use, noselect, uidvalidity, uidnext, modseq, made_modseq,
  import_modseq, purged_modseq, messages, unseen, deleted, bytes, retain_days, keywords`

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
  keywords: string,
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
    keywords: row[16] === '[]' ? [] : (JSON.parse(row[16]) as string[]),
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

/** The row as readers see it. */
export function mailboxRow(
  work: Place & Pick<AccountWork, 'tag'>,
  row: Mailbox,
  path: MailboxPath = pathOf(work, row),
): MailboxRow {
  return {
    id: mailboxIdOf(work.tag, row.mid),
    path,
    ...(row.use === null ? {} : { use: row.use }),
    uidValidity: uidValidityOf(row.uidValidity),
    uidNext: row.uidNext as Uid,
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
    ...(row.retainDays === null ? {} : { retainDays: row.retainDays }),
    keywords: row.keywords,
    noSelect: row.noSelect,
  }
}
