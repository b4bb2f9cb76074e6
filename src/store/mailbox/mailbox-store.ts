import type { Octets } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { AclEntry } from '#model/acl.ts'
import type { ScriptEntry } from '#model/script.ts'
import type { LargeHandle } from '#store/blob/blobs.ts'
import type {
  EmailId,
  MailboxId,
  MailboxPath,
  ModSeq,
  SpecialUse,
  ThreadId,
  Uid,
} from '#model/mailbox.ts'
import type { DamagedMessage } from '#store/mailbox/upkeep/damaged.ts'
import type { ExpiredMailbox } from '#store/mailbox/upkeep/expire.ts'
import type { ScriptChange, ScriptRefusal } from '#model/script-change.ts'
import type { AccountScripts, Script } from '#store/mailbox/objects/scripts.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import type { OutboxItem, CommitRequest, AccountCommitResult, Operation } from './commit.ts'
import type { KeptArrival } from '#store/mailbox/change/arrival.ts'
import type { MailboxRow, MailboxView, MessageIds } from './mailbox-view.ts'
import type { MetaRecords } from './meta-records.ts'
import type { PieceRecords } from './message-pieces.ts'
import type {
  AccountState,
  AccountPosition,
  StoredEmail,
  EmailChange,
  MailboxTreeChange,
  ExpungedEmail,
} from './stored-email.ts'
import type { PurgeRun } from '#store/mailbox/upkeep/purge-run.ts'
import type { Kept, KeepAsk } from '#store/mailbox/upkeep/removed.ts'
import type { Usage } from '#model/quota.ts'
import type { JunkReport } from '#store/mailbox/change/junk-report.ts'
import type { ScriptEvent } from '#store/mailbox/change/script-event.ts'
import type { QuotaNotice } from '#store/mailbox/change/quota.ts'
import type { Recounted } from '#store/mailbox/upkeep/recount.ts'
import type { ScrubStep } from '#store/mailbox/upkeep/scrub.ts'
import type { KeptObjects, ObjectChanges, ObjectKind } from './kept-object.ts'
import type { TextSource } from './text-source.ts'
import type { KeptUpload } from '#store/mailbox/objects/uploads.ts'

/** A scrub reads each octet once in so long. */
export const SCRUB_ROUND_MS = 28 * DAY_MS

/** Octets that one `read` or `pieces` may ask for. */
export const READ_BYTES_MAX = 1024 * 1024

/** Accounts that one `filing` may ask. */
export const FILINGS_MAX = 50

/** What decides where mail of an account is filed. */
export interface AccountFiling {
  /** Its active script. */
  readonly script?: string
  /** All its mailboxes; the defaults before their first use. */
  readonly mailboxes: readonly MailboxPath[]
  /** The mailboxes that have a role (RFC 6154). */
  readonly uses: readonly { readonly use: SpecialUse; readonly path: MailboxPath }[]
  /** Ids of `mailboxes`, in their order, where the script asks for any. */
  readonly ids?: readonly MailboxId[]
}

export interface MailboxStore extends TextSource {
  openLarge(): Promise<{ readonly handle: LargeHandle }>
  appendLarge(part: { readonly handle: LargeHandle; readonly octets: Octets }): Promise<void>
  abortLarge(part: { readonly handle: LargeHandle }): Promise<void>
  /**
   * Durable when it resolves. Throws Fault `full`, `stalled`, `io`: nothing of the request was done, or
   * nobody knows. One for more than ACCOUNTS_AT_ONCE accounts is made in steps that others get between:
   * where it throws, the first ones may stand, and their delivery ids are known. A copy or move of more
   * than MESSAGES_AT_ONCE messages, alone in its request, is made in such steps too: others see it grow, and
   * where it throws or is refused the copies are taken back; what was moved stays moved.
   */
  commit(request: CommitRequest): Promise<{ readonly results: readonly AccountCommitResult[] }>
  /**
   * What the commit with this operation answered, told to listeners once more; without results where it
   * was not made. For whoever lost the answer, and before the slot is used again.
   */
  outcome(ask: {
    readonly operation: Operation
  }): Promise<{ readonly results?: readonly AccountCommitResult[] }>
  /** The last mails of foreign peers that a door has filed, the oldest first. */
  arrivals(ask: { readonly door: string }): Promise<{ readonly arrivals: readonly KeptArrival[] }>
  /**
   * All mailboxes of the account, parents before children; the defaults are made at first use. With `by`
   * another than the owner: those in which they have any right.
   */
  mailboxes(ask: { readonly accountId: AccountId; readonly by?: AccountId }): Promise<{
    readonly state: AccountState
    readonly mailboxes: readonly MailboxRow[]
    readonly subscriptions: readonly MailboxPath[]
  }>
  /** Owners who let the account see something of theirs, with what it has rights in (`MailboxRow.rights`). */
  sharedWith(ask: { readonly by: AccountId }): Promise<{
    readonly owners: readonly {
      readonly accountId: AccountId
      readonly mailboxes: readonly MailboxRow[]
    }[]
  }>
  /** Who has rights beside the owner; undefined where there is no such mailbox, or `by` does not administer it. */
  acl(ask: {
    readonly accountId: AccountId
    readonly mailboxId: MailboxId
    readonly by?: AccountId
  }): Promise<{ readonly entries: readonly AclEntry[] | undefined }>
  /** Whole, or only what changed after `since`. Undefined where the mailbox does not exist, or `by` may not read it. */
  view(ask: {
    readonly accountId: AccountId
    readonly by?: AccountId
    readonly mailboxId: MailboxId
    readonly since?: ModSeq
    readonly emails?: boolean
  }): Promise<MailboxView | undefined>
  /** Messages from a UID on; 0 where the mailbox is not to be read. */
  countFrom(
    ask: Asked & { readonly mailboxId: MailboxId; readonly from: Uid },
  ): Promise<{ readonly messages: number }>
  /** Parsed meta of each UID, as stored: `storedMetas` reads it. At most 1,000 a call. */
  metas(ask: {
    readonly accountId: AccountId
    readonly by?: AccountId
    readonly mailboxId: MailboxId
    readonly uids: readonly Uid[]
  }): Promise<MetaRecords>
  ids(ask: {
    readonly accountId: AccountId
    readonly by?: AccountId
    readonly mailboxId: MailboxId
    readonly uids: readonly Uid[]
  }): Promise<{ readonly ids: readonly (MessageIds | undefined)[] }>
  /** The message's octets, prefix included, from `offset`; shorter at the end. An expunged row stays readable until released. */
  read(ask: {
    readonly accountId: AccountId
    readonly by?: AccountId
    readonly mailboxId: MailboxId
    readonly uid: Uid
    readonly offset: number
    readonly length: number
  }): Promise<{ readonly octets: Octets | undefined }>
  /**
   * The same of many messages in one answer: `messagePieces` asks and reads it. Throws Fault `limit`
   * above PIECES_MAX pieces or READ_BYTES_MAX octets.
   */
  pieces(ask: {
    readonly accountId: AccountId
    readonly by?: AccountId
    readonly mailboxId: MailboxId
    readonly uids: Uint32Array
    readonly offsets: Float64Array
    readonly lengths: Uint32Array
  }): Promise<PieceRecords>
  /**
   * The emails in order, undefined where none of its copies is left; at most 1,000 a call. With `by`
   * another than the owner, here and below: as they lie where that one may look and read (l and r), with
   * \Seen as they have it.
   */
  emails(ask: Asked & { readonly emailIds: readonly EmailId[] }): Promise<{
    readonly state: AccountState
    readonly emails: readonly (StoredEmail | undefined)[]
  }>
  /** The emails of each thread that are left, oldest first; undefined where there is none. At most 1,000 a call. */
  threads(ask: Asked & { readonly threadIds: readonly ThreadId[] }): Promise<{
    readonly state: AccountState
    readonly threads: readonly (readonly EmailId[] | undefined)[]
  }>
  /**
   * Oldest change first, each email once; undefined where it can no longer be told, to another than the
   * owner also where mailboxes or their ACLs have changed. `more`: the limit cut it.
   */
  emailChanges(ask: Asked & { readonly since: AccountPosition; readonly limit: number }): Promise<
    | {
        readonly state: AccountState
        readonly changes: readonly EmailChange[]
        readonly more: boolean
      }
    | undefined
  >
  /** Likewise of mailboxes, all of them. */
  mailboxChanges(
    ask: Asked & { readonly since: Omit<AccountState, 'nextEmail'> },
  ): Promise<
    { readonly state: AccountState; readonly changes: readonly MailboxTreeChange[] } | undefined
  >
  /** What filing mail asks of accounts, in their order; at most FILINGS_MAX a call. */
  filing(ask: {
    readonly accountIds: readonly AccountId[]
  }): Promise<{ readonly accounts: readonly AccountFiling[] }>
  /** Those of the keys that the account remembers now; at most MEMORIES_MAX a call. */
  remembered(ask: {
    readonly accountId: AccountId
    readonly keys: readonly string[]
  }): Promise<{ readonly keys: readonly string[] }>
  /** The account's scripts (RFC 5228) in the order of their names. */
  scripts(ask: {
    readonly accountId: AccountId
  }): Promise<{ readonly scripts: readonly ScriptEntry[] }>
  /** Those of `limit` accounts behind one, in the order of their ids; `next` where there are more accounts. */
  scriptAccounts(ask: { readonly after: string; readonly limit: number }): Promise<{
    readonly accounts: readonly AccountScripts[]
    readonly next?: string
  }>
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
  /** The account's objects of a kind, or those of these ids, oldest first. */
  objects(ask: {
    readonly accountId: AccountId
    readonly kind: ObjectKind
    readonly ids?: readonly string[]
  }): Promise<KeptObjects>
  /** What came, changed and went after the state, oldest first; undefined where it can no longer be told. */
  objectChanges(ask: {
    readonly accountId: AccountId
    readonly kind: ObjectKind
    readonly since: number
    readonly limit: number
  }): Promise<ObjectChanges | undefined>
  /** How far each kind of objects has come. */
  objectStates(ask: {
    readonly accountId: AccountId
  }): Promise<{ readonly states: Readonly<Record<ObjectKind, number>> }>
  /** Keeps a large file for UPLOAD_KEPT_MS at least; the oldest of the account's give way above `bytesMax`. */
  keepUpload(ask: {
    readonly accountId: AccountId
    readonly id: string
    readonly type: string
    readonly large: LargeHandle
    readonly bytesMax: number
  }): Promise<{ readonly isKept: boolean }>
  upload(ask: {
    readonly accountId: AccountId
    readonly id: string
  }): Promise<{ readonly upload: KeptUpload | undefined }>
  readUpload(ask: {
    readonly accountId: AccountId
    readonly id: string
    readonly offset: number
    readonly length: number
  }): Promise<{ readonly octets: Octets | undefined }>
  /** What the account holds; what was expunged is not counted, though it can come back. */
  usage(ask: { readonly accountId: AccountId; readonly deliveryId?: string }): Promise<
    Usage & {
      /** The delivery was made. */
      readonly isDelivered?: boolean
    }
  >
  /** Octets of what is \Deleted in the mailbox. */
  deletedBytes(ask: {
    readonly accountId: AccountId
    readonly by?: AccountId
    readonly mailboxId: MailboxId
  }): Promise<{ readonly bytes: number }>
  /** Mail was refused before it was sent; what the owner is to be told by a commit with this `notice`. */
  noteRefused(ask: { readonly accountId: AccountId }): Promise<{ readonly notice?: QuotaNotice }>
  /** Entries that wait for a queue and are released, oldest first; each is offered again until `outboxDone`. */
  outbox(ask: { readonly limit: number }): Promise<{ readonly items: readonly OutboxItem[] }>
  readOutbox(ask: {
    readonly id: string
    readonly offset: number
    readonly length: number
  }): Promise<{ readonly octets: Octets }>
  outboxDone(done: { readonly ids: readonly string[] }): Promise<void>
  /** What people have said of mails by where they put them, and nobody has handed on yet. */
  junkReports(ask: { readonly limit: number }): Promise<{ readonly reports: readonly JunkReport[] }>
  junkReportsDone(done: { readonly reports: readonly JunkReport[] }): Promise<void>
  /** What has happened in mailboxes that have a script for it (RFC 6785), and is not done yet; oldest first. */
  scriptEvents(ask: {
    readonly limit: number
    /** Those behind this one. */
    readonly after?: number
  }): Promise<{ readonly events: readonly ScriptEvent[] }>
  /** Those of which nothing comes; a commit with an `event` is done with it by itself. */
  scriptEventsDone(done: { readonly ids: readonly number[] }): Promise<void>
  /**
   * One step of a run that expunges what has lain in its mailbox longer than that keeps it, as of a
   * time; `next` goes on from there. At most `limit` messages go; `dryRun` only counts.
   * Throws Fault `invalid` for a place that is none.
   */
  expire(ask: {
    readonly asOfMs: number
    readonly dryRun: boolean
    readonly limit: number
    readonly after?: string
  }): Promise<{
    readonly expired: readonly ExpiredMailbox[]
    /** Messages that were looked at. */
    readonly looked: number
    readonly next?: string
  }>
  /** When the last run of the scheduler ended. */
  lastExpiry(): Promise<{ readonly ranAtMs?: number }>
  noteExpiry(run: { readonly ranAtMs: number }): Promise<void>
  /** The last run of the daily purge; absent before the first. */
  lastPurge(): Promise<{ readonly run?: PurgeRun }>
  notePurge(run: PurgeRun): Promise<void>
  /** An administrator says that the clock is right: the runs that were held go on from here. */
  trustClock(): Promise<void>
  /** Emails that can come back by a change `restore`, the first that came first; at most 1,000 a call. */
  expunged(ask: {
    readonly accountId: AccountId
    readonly sinceMs: number
    readonly limit: number
    readonly after?: EmailId
  }): Promise<{ readonly emails: readonly ExpungedEmail[] }>
  /**
   * Says which accounts there are and which were removed: those are so from now on, for `purge` to
   * delete. Of whom nothing is said, nothing is deleted.
   */
  keepAccounts(ask: KeepAsk): Promise<Kept>
  /**
   * Deletes what was expunged before that time and no session shows any more, accounts that were
   * removed before it, and large files that no row names then; gives way to others between steps.
   */
  purge(ask: { readonly beforeMs: number }): Promise<{ readonly rows: number }>
  /** Counts all accounts and their mailboxes anew, or one, in steps that others get between; those that were wrong. */
  recount(ask?: {
    readonly accountId?: AccountId
  }): Promise<{ readonly recounted: readonly Recounted[] }>
  /**
   * Compresses what lies in segments as it came, and rewrites those that are mostly dead: one run, which
   * gives way to others. `damaged` contents could not be read and stay where they are.
   */
  compact(): Promise<{ readonly moved: number; readonly damaged: number }>
  /**
   * Reads on, about so many octets, in a round over all that is stored: each is read about once a month.
   * What it finds damaged for the first time is told once; nothing is deleted.
   */
  scrub(ask: { readonly limitBytes: number }): Promise<ScrubStep>
  /** Messages that the last rounds found damaged, the first that was found first; at most 1,000. */
  damaged(): Promise<{ readonly messages: readonly DamagedMessage[] }>
  status(): Promise<{
    readonly accounts: number
    readonly messages: number
    readonly outbox: number
    readonly freeBytes: number
    readonly full: boolean
  }>
}
