import type { EmailId, MailboxId, MailboxPath, ThreadId, Uid } from '#model/mailbox.ts'

/** How far an account has come; states of JMAP are made of it. */
export interface AccountState {
  /** The last MODSEQ given in any of its mailboxes. */
  readonly modSeq: number
  /** What is numbered lower was there before. */
  readonly nextEmail: number
  readonly nextMailbox: number
}

/** Where a reader of changes stands; `email` within the changes of one MODSEQ, where it stopped amid them. */
export type AccountPosition = Omit<AccountState, 'nextMailbox'> & { readonly email?: number }

/** An email as it lies in one mailbox. */
export interface EmailPlace {
  readonly mailboxId: MailboxId
  readonly uid: Uid
  /** System flags only. */
  readonly flags: number
  readonly keywords: readonly string[]
  readonly sizeBytes: number
  readonly internalDateMs: number
  /** When it entered the mailbox (RFC 8514). */
  readonly savedAtMs: number
}

export interface StoredEmail {
  readonly emailId: EmailId
  readonly threadId: ThreadId
  /** One at least; those with \Deleted too. */
  readonly places: readonly EmailPlace[]
}

/** Since a position; `isGone` where nothing is left but what is \Deleted (RFC 8621 §4.1.1). */
export interface EmailChange {
  readonly emailId: EmailId
  readonly isNew: boolean
  readonly isGone: boolean
  readonly thread: { readonly id: ThreadId; readonly isNew: boolean; readonly isGone: boolean }
  /** The position behind this change. */
  readonly modSeq: number
  readonly email: number
}

export interface MailboxTreeChange {
  readonly mailboxId: MailboxId
  readonly isNew: boolean
  readonly isGone: boolean
  /** Only messages came, went or changed: name and the like are as they were. */
  readonly countsOnly: boolean
  readonly modSeq: number
}

/** An email that was expunged wherever it lay, and can come back. */
export interface ExpungedEmail {
  readonly emailId: EmailId
  /** Where it lay last, by its number there; it can still be read by it. */
  readonly mailboxId: MailboxId
  readonly uid: Uid
  /** Where it would come back. */
  readonly path: MailboxPath
  readonly sizeBytes: number
  readonly internalDateMs: number
  readonly goneAtMs: number
}
