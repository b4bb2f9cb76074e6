import type { Octets } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import type { Grantee } from '#model/acl.ts'
import type { EmailId, MailboxId, ModSeq, ThreadId, UidValidity } from '#model/mailbox.ts'
import type { BlobRef } from '#store/blob/blobs.ts'
import type { ObjectKind } from '#store/mailbox/kept-object.ts'
import type { AccountState } from '#store/mailbox/stored-email.ts'
import type { Sql } from './sql.ts'

/** MODSEQ = epoch · 2^40 + counter; the epoch grows only at a restore or fail-over. */
export const EPOCH_UNIT = 2 ** 40

/** What one account's commit works with: its row, read at the beginning and written back at the end. */
export interface AccountWork {
  readonly sql: Sql
  readonly nowMs: number
  readonly accountId: AccountId
  /** Who commits, where that is not the owner. */
  by?: AccountId
  /** Other accounts that the commit changes. */
  readonly others: AccountWork[]
  readonly aid: number
  /** Stands in each object id, so that ids of two accounts never meet and move with the account. */
  readonly tag: string
  /** The last MODSEQ given. */
  modSeq: number
  uidValidity: number
  nextMid: number
  /** How many mailboxes it may have after what people do now; absent: as many as one can. */
  mailboxesMax?: number
  nextEid: number
  usedBytes: number
  usedMessages: number
  /** Contents of this commit that already have a number: one message filed twice is one email. */
  readonly emails: Map<
    number,
    { readonly eid: number; readonly tid: number; readonly prefix: Octets | undefined }
  >
  /** Emails of other accounts that this commit has copied, by their account and number. */
  readonly copied: Map<string, { readonly eid: number; readonly tid: number }>
  /** Mailboxes whose readers are to be told, with their new MODSEQ. */
  readonly touched: Map<number, number>
  /** Whose rights in them have changed. */
  readonly touchedRights: Set<Grantee>
  /** Kinds of objects whose readers are to be told. */
  readonly touchedObjects: Set<ObjectKind>
  /** A mailbox came or went, or has another name or role. */
  hasNewNames?: boolean
  /** Something was said of a mail that is to be handed on. */
  hasReports?: boolean
  /** What happens by it to messages is told to the scripts of their mailboxes. */
  isTold?: boolean
  /** Something was: all of it, or there was too much. */
  events?: 'noted' | 'leftOut'
  /** Files that a deleted row named; another row may name them still. */
  readonly files: BlobRef[]
}

export function findAccount(
  sql: Sql,
  accountId: AccountId,
  nowMs: number,
): AccountWork | undefined {
  const row = sql.get<[number, string, number, number, number, number, number, number]>(
    `SELECT aid, tag, modseq, uidvalidity, next_mid, next_eid, used_bytes, used_messages
     FROM account WHERE id = ?`,
    accountId,
  )
  if (row === undefined) return undefined
  const [aid, tag, modSeq, uidValidity, nextMid, nextEid, usedBytes, usedMessages] = row
  return {
    sql,
    nowMs,
    accountId,
    others: [],
    aid,
    tag,
    modSeq,
    uidValidity,
    nextMid,
    nextEid,
    usedBytes,
    usedMessages,
    emails: new Map(),
    copied: new Map(),
    touched: new Map(),
    touchedRights: new Set(),
    touchedObjects: new Set(),
    files: [],
  }
}

export function saveAccount(work: AccountWork): void {
  work.sql.run(
    `UPDATE account SET modseq = ?, uidvalidity = ?, next_mid = ?, next_eid = ?, used_bytes = ?,
     used_messages = ? WHERE aid = ?`,
    work.modSeq,
    work.uidValidity,
    work.nextMid,
    work.nextEid,
    work.usedBytes,
    work.usedMessages,
    work.aid,
  )
}

/** The next MODSEQ, as one change to the mailbox. */
export function nextModSeq(work: AccountWork, mid: number): number {
  work.modSeq++
  work.touched.set(mid, work.modSeq)
  return work.modSeq
}

/** Only ever grows, whatever the clock does. */
export function nextUidValidity(work: AccountWork): number {
  work.uidValidity = Math.max(work.uidValidity + 1, Math.floor(work.nowMs / 1_000))
  return work.uidValidity
}

/** RFC 8474 §4 to §5.2: the same values in IMAP and JMAP, never used again. */
export const mailboxIdOf = (tag: string, mid: number): MailboxId =>
  `M${tag}${mid.toString(36)}` as MailboxId
export const emailIdOf = (tag: string, eid: number): EmailId =>
  `E${tag}${eid.toString(36)}` as EmailId
export const threadIdOf = (tag: string, tid: number): ThreadId =>
  `T${tag}${tid.toString(36)}` as ThreadId

/** The number in a mailbox's id, or undefined where it is no id of this account. */
export const midOf = (tag: string, id: MailboxId): number | undefined => numberOf(`M${tag}`, id)
export const eidOf = (tag: string, id: EmailId): number | undefined => numberOf(`E${tag}`, id)
export const tidOf = (tag: string, id: ThreadId): number | undefined => numberOf(`T${tag}`, id)

/** What POP3 names a message by that brought no UIDL: of numbers that are never given twice, so it outlives a change of UIDVALIDITY. */
export const uidlOf = (tag: string, at: { readonly mid: number; readonly uid: number }): string =>
  `${tag}${at.mid.toString(36)}.${at.uid.toString(36)}`

/** Whose it is, where it is one of this account's. */
export function ownUidl(
  tag: string,
  uidl: string,
): { readonly mid: number; readonly uid: number } | undefined {
  const dot = uidl.indexOf('.')
  const mid = numberOf(tag, uidl.slice(0, Math.max(0, dot)))
  const uid = numberOf('', uidl.slice(dot + 1))
  return mid === undefined || uid === undefined ? undefined : { mid, uid }
}

/** Only the form in which we write it: each thing has one id. */
function numberOf(prefix: string, id: string): number | undefined {
  const digits = id.slice(prefix.length)
  return id.startsWith(prefix) && /^[1-9a-z][0-9a-z]{0,9}$/.test(digits)
    ? Number.parseInt(digits, 36)
    : undefined
}

export const stateOf = (work: AccountWork): AccountState => ({
  modSeq: work.modSeq,
  nextEmail: work.nextEid,
  nextMailbox: work.nextMid,
})

export const modSeqOf = (value: number): ModSeq => BigInt(value) as ModSeq
export const uidValidityOf = (value: number): UidValidity => value as UidValidity
