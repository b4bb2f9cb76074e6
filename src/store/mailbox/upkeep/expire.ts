import { DAY_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, MailboxPath, Uid } from '#model/mailbox.ts'
import type { MailboxChanged } from '#store/mailbox/mailbox-view.ts'
import { expunge } from '#store/mailbox/change/expunge.ts'
import { ROWS_AT_ONCE } from '#store/mailbox/rows/sql.ts'
import { allMailboxes, inheritedDays, pathOf } from '#store/mailbox/rows/row.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { findAccount, mailboxIdOf, modSeqOf, saveAccount } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** Rows that one step looks at: what a delivery that comes meanwhile has to wait for. */
const LOOKED_AT_ONCE = 4_000
/** What a mailbox costs beside its rows, in rows. */
const MAILBOX_ROWS = 20

export interface ExpireAsk {
  /** What is due then goes. */
  readonly asOfMs: number
  /** Counts only. */
  readonly dryRun: boolean
  /** Messages that may go in this step. */
  readonly limit: number
  readonly from: ExpiryCursor
  readonly nowMs: number
}

type ExpiryCursor = readonly [aid: number, mid: number, uid: number]
export const EXPIRY_START: ExpiryCursor = [0, 0, 0]

/** What went of one mailbox. */
export interface ExpiredMailbox {
  readonly accountId: AccountId
  readonly mailboxId: MailboxId
  readonly path: MailboxPath
  readonly messages: number
}

export interface ExpireStep {
  readonly expired: readonly ExpiredMailbox[]
  readonly looked: number
  readonly changes: readonly MailboxChanged[]
  /** Absent at the end. */
  readonly next?: ExpiryCursor
}

/**
 * Expunges what has lain in its mailbox longer than that keeps it, whether anybody opened it or not.
 * The oldest UID first; a step looks at some thousand rows, of as many accounts as that takes.
 */
export function expireStep(sql: Sql, ask: ExpireAsk): ExpireStep {
  const expired: ExpiredMailbox[] = []
  const changes: MailboxChanged[] = []
  const budget = { rows: LOOKED_AT_ONCE, messages: Math.min(ask.limit, ROWS_AT_ONCE) }
  let looked = 0
  let [aid, mid, uid] = ask.from
  for (;;) {
    const account = accountFrom(sql, { aid, nowMs: ask.nowMs })
    if (account === undefined) return { expired, looked, changes }
    const { work, accountId } = account
    if (work.aid !== aid) [aid, mid, uid] = [work.aid, 0, 0]
    for (const { row, days } of kept(work, mid)) {
      if (row.mid !== mid) [mid, uid] = [row.mid, 0]
      const due = dueIn(work, row, { ...budget, after: uid, dueMs: ask.asOfMs - days * DAY_MS })
      if (due.uids.length > 0) {
        if (!ask.dryRun) expunge(work, row, expungeOf(work, row, due.uids))
        const mailboxId = mailboxIdOf(work.tag, row.mid)
        const messages = due.uids.length
        expired.push({ accountId, mailboxId, path: pathOf(work, row), messages })
      }
      looked += due.looked
      budget.rows -= due.looked + MAILBOX_ROWS
      budget.messages -= due.uids.length
      if (due.next === undefined) continue
      uid = due.next
      changes.push(...finish(account, ask))
      return { expired, looked, changes, next: [aid, mid, uid] }
    }
    changes.push(...finish(account, ask))
    ;[aid, mid, uid] = [aid + 1, 0, 0]
    if (budget.rows <= 0 || budget.messages <= 0)
      return { expired, looked, changes, next: [aid, mid, uid] }
  }
}

interface Account {
  readonly work: AccountWork
  readonly accountId: AccountId
}

/** The next account with a mailbox that does not keep for ever. */
function accountFrom(
  sql: Sql,
  { aid, nowMs }: { readonly aid: number; readonly nowMs: number },
): Account | undefined {
  const row = sql.get<[AccountId]>(
    `SELECT a.id FROM mailbox b INDEXED BY mailbox_retain JOIN account a ON a.aid = b.aid
     WHERE b.aid >= ? AND b.retain_days > 0 ORDER BY b.aid LIMIT 1`,
    aid,
  )
  return row && { accountId: row[0], work: findAccount(sql, row[0], nowMs)! }
}

/** Mailboxes with messages and days, from `mid` on. */
function kept(
  work: AccountWork,
  mid: number,
): readonly { readonly row: Mailbox; readonly days: number }[] {
  const rows = allMailboxes(work)
  const byMid = new Map(rows.map((row) => [row.mid, row]))
  const daysOf = (row: Mailbox): number | undefined => {
    const above = row.retainDays === null ? byMid.get(row.parent) : undefined
    return inheritedDays(row, above && daysOf(above))
  }
  return rows.flatMap((row) => {
    const days = row.mid < mid || row.messages === 0 ? undefined : daysOf(row)
    return days === undefined ? [] : { row, days }
  })
}

/** UIDs that are due, of so many rows; `next` is the last one looked at where there are more. */
function dueIn(
  work: AccountWork,
  row: Mailbox,
  ask: {
    readonly rows: number
    readonly messages: number
    readonly after: number
    readonly dueMs: number
  },
): { readonly uids: readonly Uid[]; readonly looked: number; readonly next?: number } {
  if (row.retainFrom !== null && row.retainFrom > ask.dueMs) return { uids: [], looked: 0 }
  if (ask.rows <= 0 || ask.messages <= 0) return { uids: [], looked: 0, next: ask.after }
  const uids: Uid[] = []
  let looked = 0
  let last = ask.after
  const rows = work.sql.all<[Uid, number]>(
    'SELECT uid, saved_at FROM message WHERE aid = ? AND mid = ? AND uid > ? ORDER BY uid LIMIT ?',
    work.aid,
    row.mid,
    ask.after,
    ask.rows,
  )
  for (const [uid, savedAt] of rows) {
    if (uids.length >= ask.messages) return { uids, looked, next: last }
    looked++
    last = uid
    if (savedAt <= ask.dueMs) uids.push(uid)
  }
  return { uids, looked, ...(rows.length === ask.rows && { next: last }) }
}

const expungeOf = (work: AccountWork, row: Mailbox, uids: readonly Uid[]) =>
  ({
    kind: 'expunge',
    mailboxId: mailboxIdOf(work.tag, row.mid),
    uids,
    deletedOnly: false,
  }) as const

function finish({ work, accountId }: Account, { dryRun }: ExpireAsk): MailboxChanged[] {
  if (dryRun || work.touched.size === 0) return []
  saveAccount(work)
  return Array.from(work.touched, ([mid, modSeq]) => ({
    accountId,
    mailboxId: mailboxIdOf(work.tag, mid),
    highestModSeq: modSeqOf(modSeq),
  }))
}

/** When the last run ended, by the clock of then; undefined before the first. */
export const lastExpiry = (sql: Sql): number | undefined =>
  sql.get<[number]>('SELECT ran_at FROM expiry')?.[0]

export const noteExpiry = (sql: Sql, nowMs: number): number =>
  sql.run('INSERT INTO expiry VALUES (1, ?1) ON CONFLICT DO UPDATE SET ran_at = ?1', nowMs)

/** The cursor as a text, for callers elsewhere. */
export const formatCursor = (cursor: ExpiryCursor): string => cursor.join('.')

/** Undefined for what is no cursor of ours. */
export function parseCursor(text: string): ExpiryCursor | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/.exec(text)
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])]
}
