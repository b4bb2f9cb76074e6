import type { AccountId } from '#model/account.ts'
import type { Grantee, Rights } from '#model/acl.ts'
import type {
  EmailId,
  MailboxId,
  MailboxPath,
  ModSeq,
  SpecialUse,
  ThreadId,
  Uid,
  UidValidity,
} from '#model/mailbox.ts'
import type { ObjectKind } from './kept-object.ts'

/** One mailbox with its counts, as committed. */
export interface MailboxRow {
  readonly id: MailboxId
  readonly path: MailboxPath
  readonly use?: SpecialUse
  readonly uidValidity: UidValidity
  readonly uidNext: Uid
  /** Messages from this UID on are recent for whoever selects the mailbox next (RFC 3501 §2.3.2). */
  readonly recentFrom: Uid
  readonly highestModSeq: ModSeq
  readonly messages: number
  readonly unseen: number
  readonly deleted: number
  readonly sizeBytes: number
  readonly subscribed: boolean
  /** Days after which its messages go, its own or those of the nearest mailbox above; absent: never. */
  readonly retainDays?: number
  /** Messages that entered before count from then: the mailbox came under another one's days. */
  readonly retainFromMs?: number
  /** What was said of this mailbox itself. */
  readonly retention: Retention
  /** Where a program wants it among its siblings (RFC 8621 §2). */
  readonly sortOrder?: number
  /** Keyword slots: flag bit 5 + index. */
  readonly keywords: readonly string[]
  /** True for a name that has children but was deleted itself (RFC 9051 §6.3.5): \Noselect. */
  readonly noSelect: boolean
  /** What who asked may do here, where that is not the owner; counts are theirs then, and nought without r. */
  readonly rights?: Rights
}

/** How long a mailbox keeps its messages: days from when each entered it, or as the mailbox above it. */
export type Retention = number | 'forever' | 'inherit'
/** A hundred years. */
export const RETAIN_DAYS_MAX = 36_525

/** System flags are bits 0–4; keywords follow. More are refused with Fault `limit`. */
export const KEYWORDS_PER_MAILBOX_MAX = 27

/** Rows of a mailbox in UID order, as parallel arrays. */
export interface MailboxView {
  readonly mailbox: MailboxRow
  readonly uids: Uint32Array
  readonly flags: Uint32Array
  /** MODSEQ fits 53 bits: epoch · 2^40 + counter. */
  readonly modSeqs: Float64Array
  readonly sizes: Float64Array
  readonly internalDatesMs: Float64Array
  readonly savedAtMs: Float64Array
  /** With `since`: UIDs expunged after it, ascending. */
  readonly vanished: Uint32Array
  readonly emails?: ViewEmails
}

/** Of the rows of a view in the same order, with `emails`: what JMAP names them by. */
export interface ViewEmails {
  /** What stands in each id of the account (`emailIdOf`). */
  readonly tag: string
  /** Emails of the account from this number on are still to come. */
  readonly nextEmail: number
  readonly emailNumbers: Float64Array
  readonly threadNumbers: Float64Array
}

/** Told after COMMIT to every process that reads. */
export interface MailboxChanged {
  readonly accountId: AccountId
  readonly mailboxId: MailboxId
  readonly highestModSeq: ModSeq
  /** Whose rights in mailboxes of the account have changed. */
  readonly rights?: readonly Grantee[]
}

/** Told likewise: objects of these kinds came, changed or went. */
export interface ObjectsChanged {
  readonly accountId: AccountId
  readonly objects: readonly ObjectKind[]
}

/** Told likewise: somebody has said of a mail what it is (`junkReports`). */
export interface JunkReported {
  readonly accountId: AccountId
  readonly hasReports: true
}

/** Told likewise: something has happened for which its mailboxes have a script (`scriptEvents`), or too much has. */
export interface ScriptEvents {
  readonly accountId: AccountId
  readonly events: 'noted' | 'leftOut'
}

/** Told likewise: a Sieve script came, changed or went, or another one filters. */
export interface ScriptsChanged {
  readonly accountId: AccountId
  readonly scripts: true
}

/** Told likewise: a mailbox came or went, or has another name or role. */
export interface NamesChanged {
  readonly accountId: AccountId
  readonly names: true
}

export type StoreChanged =
  | MailboxChanged
  | ObjectsChanged
  | JunkReported
  | ScriptEvents
  | ScriptsChanged
  | NamesChanged

/** A message's identity as IMAP OBJECTID and POP3 want it. */
export interface MessageIds {
  readonly uid: Uid
  readonly emailId: EmailId
  readonly threadId: ThreadId
  readonly uidl: string
}
