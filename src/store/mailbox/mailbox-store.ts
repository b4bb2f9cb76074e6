import type { Octets } from '#base/octets.ts'
import type { Address } from '#model/address.ts'
import type { AccountId } from '#model/account.ts'
import type { BodyKind } from '#model/envelope.ts'
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
import type { MessageMeta } from '#model/message.ts'
import type { ScriptEntry } from '#model/script.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'
import type { Script, ScriptChange, ScriptRefusal } from './scripts.ts'

/** One mailbox with its counts, as committed. */
export interface MailboxRow {
  readonly id: MailboxId
  readonly path: MailboxPath
  readonly use?: SpecialUse
  readonly uidValidity: UidValidity
  readonly uidNext: Uid
  readonly highestModSeq: ModSeq
  readonly messages: number
  readonly unseen: number
  readonly deleted: number
  readonly sizeBytes: number
  readonly subscribed: boolean
  readonly retainDays?: number
  /** Keyword slots: flag bit 5 + index. */
  readonly keywords: readonly string[]
  /** True for a name that has children but was deleted itself (RFC 9051 §6.3.5): \Noselect. */
  readonly noSelect: boolean
}

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

export type MailboxRef =
  | { readonly id: MailboxId }
  | { readonly path: MailboxPath; readonly create: boolean }

/** Of the rows of a view in the same order, with `emails`: what JMAP names them by. */
export interface ViewEmails {
  /** What stands in each id of the account (`emailIdOf`). */
  readonly tag: string
  readonly emailNumbers: Float64Array
  readonly threadNumbers: Float64Array
}

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

/** One change to one account's mailboxes; a commit's changes happen together or not at all. */
export type MailboxChange =
  | {
      readonly kind: 'append'
      readonly mailbox: MailboxRef
      /** Index into the request's contents. */
      readonly content: number
      readonly flags: number
      readonly keywords: readonly string[]
      readonly internalDateMs: number
      /** What differs by delivery and is shown in front of the octets: `Return-Path`, `Delivered-To`. */
      readonly prefix?: Octets
      /** Import: numbers brought along. Refused (Fault `conflict`) where they are taken or would go down. */
      readonly assigned?: {
        readonly uid: Uid
        readonly modSeq?: ModSeq
        readonly savedAtMs?: number
        readonly uidl?: string
      }
    }
  | {
      readonly kind: 'setFlags'
      readonly mailboxId: MailboxId
      readonly uids: readonly Uid[]
      readonly mode: 'add' | 'remove' | 'replace'
      readonly flags: number
      readonly keywords: readonly string[]
      /** RFC 7162 §3.1.3: rows with a greater MODSEQ stay and are named in `failed`. */
      readonly unchangedSince?: ModSeq
    }
  /** Only rows with \Deleted where `deletedOnly`. */
  | {
      readonly kind: 'expunge'
      readonly mailboxId: MailboxId
      readonly uids: readonly Uid[] | 'all'
      readonly deletedOnly: boolean
    }
  | {
      readonly kind: 'copy' | 'move'
      readonly from: MailboxId
      readonly uids: readonly Uid[]
      readonly to: MailboxRef
    }
  | { readonly kind: 'create'; readonly path: MailboxPath; readonly use?: SpecialUse }
  | { readonly kind: 'rename'; readonly mailboxId: MailboxId; readonly path: MailboxPath }
  | { readonly kind: 'delete'; readonly mailboxId: MailboxId }
  | { readonly kind: 'subscribe'; readonly path: MailboxPath; readonly on: boolean }
  | { readonly kind: 'retain'; readonly mailboxId: MailboxId; readonly days?: number }
  /** Import of a mailbox's own numbers, before its messages. */
  | {
      readonly kind: 'number'
      readonly mailboxId: MailboxId
      readonly uidValidity: UidValidity
      readonly uidNext: Uid
    }

/** Mail that a delivery sends out: committed with it, handed to a queue afterwards, idempotent by `id`. */
export interface OutboxEntry {
  /** Derived from the delivery id, so that a repeated delivery makes the same entry. */
  readonly id: string
  readonly kind: 'redirect' | 'reject' | 'forward' | 'submission'
  readonly reversePath: Address | null
  readonly recipients: readonly Address[]
  readonly body: BodyKind
  readonly smtpUtf8: boolean
  /** Index into the request's contents, or octets of its own. */
  readonly content: number | Octets
}

export interface AccountCommit {
  readonly accountId: AccountId
  readonly changes: readonly MailboxChange[]
  readonly outbox?: readonly OutboxEntry[]
  /** A delivery: a second commit with the same id and account changes nothing and says `duplicate`. */
  readonly deliveryId?: string
}

/** Serialisable whole: a wire can be put in between. */
export interface CommitRequest {
  readonly contents: readonly Content[]
  /** Each account's commit stands or falls alone. */
  readonly commits: readonly AccountCommit[]
}

export type ChangeResult =
  | {
      readonly kind: 'append'
      readonly mailboxId: MailboxId
      readonly uidValidity: UidValidity
      readonly uid: Uid
      readonly emailId: EmailId
      readonly threadId: ThreadId
    }
  | {
      readonly kind: 'setFlags'
      readonly updated: Uint32Array
      readonly modSeq: ModSeq
      readonly failed: Uint32Array
    }
  | { readonly kind: 'expunge'; readonly uids: Uint32Array; readonly modSeq: ModSeq }
  | {
      readonly kind: 'copy' | 'move'
      readonly mailboxId: MailboxId
      readonly uidValidity: UidValidity
      /** Parallel: those that still existed, and their new numbers. */
      readonly sources: Uint32Array
      readonly targets: Uint32Array
      readonly modSeq: ModSeq
    }
  | { readonly kind: 'mailbox'; readonly mailbox: MailboxRow }
  | { readonly kind: 'done' }

export type CommitRefusal = {
  /** noMailbox: [TRYCREATE]; exists; limit: a named limit; notEmptyName; conflict: numbers taken; reserved: INBOX and the like. */
  readonly code: 'noMailbox' | 'exists' | 'limit' | 'badName' | 'conflict' | 'reserved'
  readonly text: string
}

export type AccountCommitResult =
  | { readonly kind: 'committed'; readonly results: readonly ChangeResult[] }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly refusal: CommitRefusal }

/** Told after COMMIT to every process that reads. */
export interface MailboxChanged {
  readonly accountId: AccountId
  readonly mailboxId: MailboxId
  readonly highestModSeq: ModSeq
}

export interface OutboxItem extends Omit<OutboxEntry, 'content'> {
  readonly accountId: AccountId
  readonly sizeBytes: number
}

/** A message's identity as IMAP OBJECTID and POP3 want it. */
export interface MessageIds {
  readonly uid: Uid
  readonly emailId: EmailId
  readonly threadId: ThreadId
  readonly uidl: string
}

/** Octets that one `read` may ask for. */
export const READ_BYTES_MAX = 1024 * 1024

export interface MailboxStore {
  openLarge(): Promise<{ readonly handle: LargeHandle }>
  appendLarge(part: { readonly handle: LargeHandle; readonly octets: Octets }): Promise<void>
  abortLarge(part: { readonly handle: LargeHandle }): Promise<void>
  /** Durable when it resolves. Throws Fault `full`, `stalled`, `io` for the whole request. */
  commit(request: CommitRequest): Promise<{ readonly results: readonly AccountCommitResult[] }>
  /** All mailboxes of the account, parents before children; the defaults are made at first use. */
  mailboxes(ask: { readonly accountId: AccountId }): Promise<{
    readonly state: AccountState
    readonly mailboxes: readonly MailboxRow[]
    readonly subscriptions: readonly MailboxPath[]
  }>
  /** Whole, or only what changed after `since`. Undefined where the mailbox does not exist. */
  view(ask: {
    readonly accountId: AccountId
    readonly mailboxId: MailboxId
    readonly since?: ModSeq
    readonly emails?: boolean
  }): Promise<MailboxView | undefined>
  /** Parsed meta of each UID in order; undefined where it is gone. At most 1,000 a call. Offsets count from after the prefix. */
  metas(ask: {
    readonly accountId: AccountId
    readonly mailboxId: MailboxId
    readonly uids: readonly Uid[]
  }): Promise<{
    readonly metas: readonly (
      | { readonly meta: MessageMeta; readonly prefixBytes: number }
      | undefined
    )[]
  }>
  ids(ask: {
    readonly accountId: AccountId
    readonly mailboxId: MailboxId
    readonly uids: readonly Uid[]
  }): Promise<{ readonly ids: readonly (MessageIds | undefined)[] }>
  /** The message's octets, prefix included, from `offset`; shorter at the end. An expunged row stays readable until released. */
  read(ask: {
    readonly accountId: AccountId
    readonly mailboxId: MailboxId
    readonly uid: Uid
    readonly offset: number
    readonly length: number
  }): Promise<{ readonly octets: Octets | undefined }>
  /** The emails in order, undefined where none of its copies is left; at most 1,000 a call. */
  emails(ask: { readonly accountId: AccountId; readonly emailIds: readonly EmailId[] }): Promise<{
    readonly state: AccountState
    readonly emails: readonly (StoredEmail | undefined)[]
  }>
  /** The emails of each thread that are left, oldest first; undefined where there is none. At most 1,000 a call. */
  threads(ask: {
    readonly accountId: AccountId
    readonly threadIds: readonly ThreadId[]
  }): Promise<{
    readonly state: AccountState
    readonly threads: readonly (readonly EmailId[] | undefined)[]
  }>
  /** Oldest change first, each email once; undefined where it can no longer be told. `more`: the limit cut it. */
  emailChanges(ask: {
    readonly accountId: AccountId
    readonly since: AccountPosition
    readonly limit: number
  }): Promise<
    | {
        readonly state: AccountState
        readonly changes: readonly EmailChange[]
        readonly more: boolean
      }
    | undefined
  >
  /** Likewise of mailboxes, all of them. */
  mailboxChanges(ask: {
    readonly accountId: AccountId
    readonly since: Omit<AccountState, 'nextEmail'>
  }): Promise<
    { readonly state: AccountState; readonly changes: readonly MailboxTreeChange[] } | undefined
  >
  /** The account's scripts (RFC 5228) in the order of their names. */
  scripts(ask: {
    readonly accountId: AccountId
  }): Promise<{ readonly scripts: readonly ScriptEntry[] }>
  /** One script with its text; without a name the active one, which filters. */
  script(ask: {
    readonly accountId: AccountId
    readonly name?: string
  }): Promise<{ readonly script: Script | undefined }>
  /** Durable when it resolves without a refusal; a refused change changes nothing. */
  changeScript(ask: {
    readonly accountId: AccountId
    readonly change: ScriptChange
  }): Promise<{ readonly refusal: ScriptRefusal | undefined }>
  /** Entries that wait for a queue, oldest first; each is offered again until `outboxDone`. */
  outbox(ask: { readonly limit: number }): Promise<{ readonly items: readonly OutboxItem[] }>
  readOutbox(ask: {
    readonly id: string
    readonly offset: number
    readonly length: number
  }): Promise<{ readonly octets: Octets }>
  outboxDone(done: { readonly ids: readonly string[] }): Promise<void>
  /** Says which accounts there are: all others are removed from now on, for `purge` to delete. */
  keepAccounts(ask: {
    readonly accountIds: readonly AccountId[]
  }): Promise<{ readonly removed: number }>
  /**
   * Deletes what was expunged before that time and no session shows any more, accounts that were
   * removed before it, and large files that no row names then; gives way to others between steps.
   */
  purge(ask: { readonly beforeMs: number }): Promise<{ readonly rows: number }>
  status(): Promise<{
    readonly accounts: number
    readonly messages: number
    readonly outbox: number
    readonly freeBytes: number
    readonly full: boolean
  }>
}
