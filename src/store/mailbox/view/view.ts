import { Fault } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import { NO_RIGHTS, hasRight } from '#model/acl.ts'
import type { AclEntry, Rights } from '#model/acl.ts'
import { othersName } from '#model/mailbox.ts'
import type { MailboxId, MailboxPath, ModSeq } from '#model/mailbox.ts'
import type { AccountState } from '#store/mailbox/stored-email.ts'
import type { MailboxRow, MailboxView, ViewEmails } from '#store/mailbox/mailbox-view.ts'
import { allMailboxes, inheritedDays, mailboxByMid, mailboxRow } from '#store/mailbox/rows/row.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import { aclOf, ownersFor, rightsIn, strangerOf } from '#store/mailbox/rows/rights.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import { flagsFor, seenCount } from '#store/mailbox/rows/seen.ts'
import type { Reader } from '#store/mailbox/rows/seen.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { readRows } from './view-rows.ts'
import type { ViewRows } from './view-rows.ts'
import { findAccount, midOf, stateOf } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** UIDs that one view may name as vanished; a reader that is further behind takes it whole. */
const VANISHED_MAX = 4_000_000

export interface ViewAsk {
  readonly accountId: AccountId
  readonly by?: AccountId
  readonly mailboxId: MailboxId
  readonly since?: ModSeq
  readonly emails?: boolean
}

/**
 * All or what changed since; `allRows` where all are had more cheaply than from the database. Throws
 * Fault `limit` where `since` is so old that too many UIDs would be named.
 */
export function readView(
  sql: Sql,
  ask: ViewAsk,
  allRows?: (row: Mailbox) => ViewRows,
): MailboxView | undefined {
  const found = openedMailbox(sql, ask)
  if (found === undefined || found.row.noSelect) return undefined
  const { aid, row } = found
  const { mid } = row
  const since = ask.since === undefined ? undefined : Number(ask.since)
  const owned = mailboxRow({ sql, aid, tag: found.tag }, row)
  const reader = found.by && { sql, aid, mid, who: found.by }
  const mailbox = reader ? shownTo({ ...reader, owner: ask.accountId }, owned, found.rights) : owned
  // Rows were imported behind a MODSEQ that a reader of ours had seen.
  const whole = since === undefined || (since >= row.madeModSeq && since < row.importModSeq)
  const place = { sql, aid, tag: found.tag, nextEid: found.nextEid }
  const { eids, ...rows } =
    since === undefined || whole
      ? (allRows?.(row) ?? readRows(place, { mid, count: row.messages, since: undefined }))
      : readRows(place, { mid, count: countSince(place, mid, since), since })
  const emails = ask.emails === true ? emailsOf(place, eids) : undefined
  const vanished =
    since === undefined
      ? new Uint32Array(0)
      : since < row.purgedModSeq
        ? missing(sql, aid, row)
        : goneSince(place, mid, since)
  const flags = reader ? flagsFor(reader, rows) : rows.flags
  return { mailbox, ...rows, flags, vanished, ...(emails && { emails }) }
}

type Place = Pick<AccountWork, 'sql' | 'aid' | 'tag' | 'nextEid'>

export const countSince = (
  { sql, aid }: Pick<Place, 'sql' | 'aid'>,
  mid: number,
  since: number,
): number =>
  sql.get<[number]>(
    'SELECT count(*) FROM message WHERE aid = ? AND mid = ? AND modseq > ?',
    aid,
    mid,
    since,
  )?.[0] ?? 0

/** UIDs expunged after it, ascending. */
export const goneSince = (
  { sql, aid }: Pick<Place, 'sql' | 'aid'>,
  mid: number,
  since: number,
): Uint32Array =>
  Uint32Array.from(
    sql.all<[number]>(
      'SELECT uid FROM gone WHERE aid = ? AND mid = ? AND modseq > ? ORDER BY uid',
      aid,
      mid,
      since,
    ),
    ([uid]) => uid,
  )

/** So many rows cost less looked up one by one than by a walk over all of the account's replies. */
const LOOKED_UP_MAX = 256

/**
 * The threads of emails. Most are named after their own email, so that only replies are asked for:
 * by an index that has all of it, never by the rows of emails, which are ten times as long.
 */
function emailsOf({ sql, aid, tag, nextEid }: Place, eids: Float64Array): ViewEmails {
  const threadNumbers = eids.slice()
  const isFew = eids.length <= LOOKED_UP_MAX
  const replies = isFew
    ? sql.iterate<[eid: number, tid: number]>(
        `SELECT e.eid, e.tid FROM json_each(?2) x CROSS JOIN email e ON e.aid = ?1 AND e.eid = x.value
         WHERE e.tid <> e.eid`,
        aid,
        JSON.stringify(Array.from(eids)),
      )
    : sql.iterate<[eid: number, tid: number]>(
        'SELECT eid, tid FROM email INDEXED BY email_reply WHERE aid = ? AND tid <> eid',
        aid,
      )
  const threadOf = new Map<number, number>(replies as Iterable<readonly [number, number]>)
  if (threadOf.size > 0)
    for (let row = 0; row < eids.length; row++)
      threadNumbers[row] = threadOf.get(eids[row]!) ?? eids[row]!
  return { tag, nextEmail: nextEid, emailNumbers: eids, threadNumbers }
}

const placeOf = ({ aid, tag, nextEid }: AccountWork) => ({ aid, tag, nextEid })

interface Opened {
  readonly aid: number
  readonly tag: string
  readonly nextEid: number
  readonly row: Mailbox
  /** Who reads, where that is not the owner. */
  readonly by: AccountId | undefined
  readonly rights: Rights
}

/** The account's mailbox, also one that holds no messages; undefined where who asks may not read it. */
export function openedMailbox(
  sql: Sql,
  ask: Asked & { readonly mailboxId: MailboxId },
): Opened | undefined {
  const account = findAccount(sql, ask.accountId, 0)
  const mid = account && midOf(account.tag, ask.mailboxId)
  const row = mid === undefined ? undefined : mailboxByMid(account!, mid)
  if (row === undefined) return undefined
  const by = strangerOf(ask)
  const rights = rightsIn(account!, row.mid, by)
  return hasRight(rights, 'r') ? { ...placeOf(account!), row, by, rights } : undefined
}

/** Messages of a mailbox from a UID on: what has come lately is read, not the mailbox. */
export function countFrom(
  sql: Sql,
  ask: Asked & { readonly mailboxId: MailboxId; readonly from: number },
): number {
  const found = openedMailbox(sql, ask)
  if (found === undefined) return 0
  return sql.get<[number]>(
    'SELECT count(*) FROM message WHERE aid = ? AND mid = ? AND uid >= ?',
    found.aid,
    found.row.mid,
    ask.from,
  )![0]
}

const isSubscribed = (
  { sql, who, owner }: Reader & { readonly owner: AccountId },
  path: MailboxPath,
): boolean =>
  sql.get(
    'SELECT 1 FROM subscription s JOIN account a ON a.aid = s.aid WHERE a.id = ? AND s.path = ?',
    who,
    JSON.stringify(othersName(owner, path)),
  ) !== undefined

/** The owner's row as another account may know it. */
function shownTo(
  reader: Reader & { readonly owner: AccountId },
  row: MailboxRow,
  rights: Rights,
): MailboxRow {
  // Which of them is whose Trash, and what the owner subscribes to, is the owner's own affair.
  const { use: _, ...rest } = row
  const shown = { ...rest, subscribed: isSubscribed(reader, row.path), rights }
  return hasRight(rights, 'r')
    ? { ...shown, unseen: Math.max(0, row.messages - seenCount(reader)) }
    : { ...shown, messages: 0, unseen: 0, deleted: 0, sizeBytes: 0 }
}

/** All UIDs below UIDNEXT that the mailbox has not: RFC 7162 §3.2.7 allows them where the log ends too late. */
function missing(sql: Sql, aid: number, row: Mailbox): Uint32Array {
  const count = row.uidNext - 1 - row.messages
  if (count > VANISHED_MAX)
    throw new Fault('limit', `too many UIDs have vanished since: ${count}; take the view whole`)
  const vanished = new Uint32Array(count)
  let at = 0
  let next = 1
  for (const [uid] of sql.iterate<[number]>(
    'SELECT uid FROM message WHERE aid = ? AND mid = ? ORDER BY uid',
    aid,
    row.mid,
  )) {
    while (next < uid) vanished[at++] = next++
    next = uid + 1
  }
  while (next < row.uidNext) vanished[at++] = next++
  return vanished
}

/** What an account has rights in, by owner. */
export const sharedWith = (
  sql: Sql,
  by: AccountId,
): { readonly accountId: AccountId; readonly mailboxes: readonly MailboxRow[] }[] =>
  ownersFor(sql, by).map((accountId) => ({
    accountId,
    mailboxes: listMailboxes(sql, { accountId, by })?.mailboxes ?? [],
  }))

/** Entries beside the owner's; undefined unless who asks administers the mailbox. */
export function readAcl(
  sql: Sql,
  ask: Asked & { readonly mailboxId: MailboxId },
): AclEntry[] | undefined {
  const account = findAccount(sql, ask.accountId, 0)
  const mid = account && midOf(account.tag, ask.mailboxId)
  const row = mid === undefined ? undefined : mailboxByMid(account!, mid)
  if (row === undefined || row.noSelect) return undefined
  const rights = rightsIn(account!, row.mid, strangerOf(ask))
  return hasRight(rights, 'a') ? aclOf(account!, row.mid) : undefined
}

/**
 * All mailboxes of the account, parents before children, with the subscribed names; to another than the
 * owner those in which they have rights.
 */
export function listMailboxes(
  sql: Sql,
  ask: Asked,
):
  | {
      readonly state: AccountState
      readonly mailboxes: MailboxRow[]
      readonly subscriptions: string[][]
    }
  | undefined {
  const account = findAccount(sql, ask.accountId, 0)
  if (account === undefined) return undefined
  const by = strangerOf(ask)
  const children = Map.groupBy(allMailboxes(account), (row) => row.parent)
  const mailboxes: MailboxRow[] = []
  const visit = (parent: number, above: readonly string[], keeps: number | undefined): void => {
    for (const row of children.get(parent) ?? []) {
      const path = [...above, row.name]
      const days = inheritedDays(row, keeps)
      const rights = rightsIn(account, row.mid, by)
      const owned = mailboxRow(account, row, { path, days })
      if (by === undefined) mailboxes.push(owned)
      else if (rights !== NO_RIGHTS)
        mailboxes.push(
          shownTo({ ...account, mid: row.mid, who: by, owner: ask.accountId }, owned, rights),
        )
      visit(row.mid, path, days)
    }
  }
  visit(0, [], undefined)
  if (by !== undefined) return { state: stateOf(account), mailboxes, subscriptions: [] }
  const subscriptions = sql
    .all<[string]>('SELECT path FROM subscription WHERE aid = ? ORDER BY path', account.aid)
    .map(([path]) => JSON.parse(path) as string[])
  return { state: stateOf(account), mailboxes, subscriptions }
}
