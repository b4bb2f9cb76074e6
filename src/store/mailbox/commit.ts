import type { Octets } from '#base/octets.ts'
import type { Grantee, Rights } from '#model/acl.ts'
import type { Address } from '#model/address.ts'
import type { AccountId } from '#model/account.ts'
import type { DeliverBy, DsnWish, BodyKind, Verp } from '#model/envelope.ts'
import type { Content } from '#store/blob/blobs.ts'
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
import type { MailboxRow, Retention } from './mailbox-view.ts'
import type { QuotaRule } from '#model/quota.ts'
import type { QuotaNotice } from '#store/mailbox/change/quota.ts'
import type { ObjectChange } from './kept-object.ts'

/** Accounts whose rows one transaction writes: what a delivery beside it has to wait for, some 12 ms and a sync. */
export const ACCOUNTS_AT_ONCE = 50
/** Messages that one transaction changes, copies or moves, likewise: 20 to 30 ms. */
export const MESSAGES_AT_ONCE = 2_000
export const MEMORY_KEY_MAX = 100
/** Memories that one `remembered` may ask about. */
export const MEMORIES_MAX = 100

export type MailboxRef =
  | { readonly id: MailboxId }
  | {
      readonly path: MailboxPath
      readonly create: boolean
      /** The role of one that is made, where no other has it. */
      readonly use?: SpecialUse
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
      /** Left out where this memory of the commit's stood already; its result is `done` then. */
      readonly once?: string
      /** What differs by delivery and is shown in front of the octets: `Return-Path`, `Delivered-To`. */
      readonly prefix?: Octets
      /** Import: numbers brought along. Refused (Fault `conflict`) where they are taken or would go down. */
      readonly assigned?: {
        readonly uid: Uid
        readonly modSeq?: ModSeq
        /** 1 to 70 characters from ! to ~ (RFC 1939 §7), in no other message of the account. */
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
      /** Whose mailbox `from` is, where it is not the commit's account. */
      readonly fromAccount?: AccountId
      /** What the copies get instead of what these have; in a copy within an account by its owner, too. */
      readonly as?: {
        readonly flags: number
        readonly keywords: readonly string[]
        readonly internalDateMs: number
      }
      readonly uids: readonly Uid[]
      readonly to: MailboxRef
    }
  /** Messages below the UID are recent for nobody else (RFC 3501 §2.3.2): no change that readers are told of. */
  | { readonly kind: 'claimRecent'; readonly mailboxId: MailboxId; readonly before: Uid }
  | { readonly kind: 'create'; readonly path: MailboxPath; readonly use?: SpecialUse }
  | {
      readonly kind: 'rename'
      readonly mailboxId: MailboxId
      /** The owner's name of it that was meant, so that of two clients only the first is obeyed. */
      readonly from?: MailboxPath
      readonly path: MailboxPath
    }
  | { readonly kind: 'delete'; readonly mailboxId: MailboxId }
  | { readonly kind: 'subscribe'; readonly path: MailboxPath; readonly on: boolean }
  /** What somebody beside the owner may do there from now on (RFC 4314 §3.1). */
  | {
      readonly kind: 'grant'
      readonly mailboxId: MailboxId
      readonly who: Grantee
      readonly mode: 'add' | 'remove' | 'replace'
      readonly rights: Rights
    }
  | { readonly kind: 'retain'; readonly mailboxId: MailboxId; readonly retention: Retention }
  /** Brings expunged emails back that lie nowhere else, under new numbers; others are left out. */
  | { readonly kind: 'restore'; readonly emailIds: readonly EmailId[]; readonly to?: MailboxRef }
  /** Import of a mailbox's own numbers, before its messages. */
  | {
      readonly kind: 'number'
      readonly mailboxId: MailboxId
      readonly uidValidity: UidValidity
      readonly uidNext: Uid
    }
  /** What programs show it as; a role that another mailbox has is refused. */
  | {
      readonly kind: 'describe'
      readonly mailboxId: MailboxId
      readonly sortOrder?: number
      readonly use?: SpecialUse | null
    }
  | ObjectChange
  /** Takes back an outbox entry that is not released yet; refused (`conflict`) where it is, or is gone. */
  | { readonly kind: 'withdraw'; readonly entry: string }

export const OUTBOX_KINDS = [
  'redirect',
  'reject',
  'forward',
  'submission',
  'vacation',
  'notify',
  'post', // of a mailing list, to its members
  'notice', // what a list says itself
] as const
export type OutboxKind = (typeof OUTBOX_KINDS)[number]

/** Mail that a delivery sends out: committed with it, handed to a queue afterwards, idempotent by `id`. */
export interface OutboxEntry {
  /** Derived from the delivery id, so that a repeated delivery makes the same entry. */
  readonly id: string
  readonly kind: OutboxKind
  readonly reversePath: Address | null
  readonly recipients: readonly Address[]
  readonly body: BodyKind
  readonly smtpUtf8: boolean
  /** Of what the reverse-path hears. */
  readonly dsn?: DsnWish
  readonly deliverBy?: DeliverBy
  /** Of a post: how what comes back names who it did not reach. */
  readonly verp?: Verp
  /** Not handed to a queue before; it can be withdrawn until then. */
  readonly releaseAtMs?: number
  /** Left out where this memory of the commit's stood already. */
  readonly once?: string
  /** Index into the request's contents, or octets of its own. */
  readonly content: number | Octets
}

/** What scripts of an account know of earlier deliveries: whom vacation has answered, which mails came before. */
export interface Memory {
  /** 1 to MEMORY_KEY_MAX characters. */
  readonly key: string
  readonly untilMs: number
  /** One that stands already stands until then from now on; else it stays as it is. */
  readonly isProlonged?: boolean
  /** The commit was made in the belief that it does not stand: it is refused (`conflict`) where it does. */
  readonly isFirst?: boolean
}

export interface AccountCommit {
  readonly accountId: AccountId
  /**
   * Who changes the account's mailboxes: another than the owner may do what an ACL gives them (RFC 4314
   * §4), and is refused (`noPermission`, `noMailbox`) all else. Absent: the owner, or we ourselves.
   */
  readonly by?: AccountId
  readonly changes: readonly MailboxChange[]
  readonly outbox?: readonly OutboxEntry[]
  /** Kept with the commit: what it does `once` is left out where its memory stood already. */
  readonly memories?: readonly Memory[]
  /** A delivery: a second commit with the same id and account changes nothing and says `duplicate`. */
  readonly deliveryId?: string
  /** What the account may hold: a commit that brings mail beyond it is refused (`quota`). Absent: nothing is asked. */
  readonly quota?: QuotaRule
  /** The script of this event (`scriptEvents`) does it, which is done with it: `duplicate` where it was done. */
  readonly event?: number
  /** This is the mail that says so: taken whatever the quota, and `duplicate` where it is not (or no longer) due. */
  readonly notice?: QuotaNotice
}

/** By what a commit's answer can be asked for (`outcome`) where the process that made it has ended. */
export interface Operation {
  /** One of few; taken by one commit at a time, until its answer is heard. */
  readonly slot: number
  /** Of this commit alone. */
  readonly id: string
  /** By the clock that only grows: it is not made later (Fault `stalled`), since its asker was told so. */
  readonly untilMs: number
}

/** A foreign peer's mail, as it is known again where its answer was lost (`arrivals`). */
export interface Arrival {
  /** Where it came in, 1 to 255 characters, and its place among the last that did. */
  readonly door: string
  readonly slot: number
  readonly deliveryId: string
  /** Of its sender and octets. */
  readonly octetsKey: string
  /** Keys of the addresses that its peer named. */
  readonly recipients: readonly string[]
}

/** Serialisable whole: a wire can be put in between. */
export interface CommitRequest {
  readonly contents: readonly Content[]
  /** Each account's commit stands or falls alone. */
  readonly commits: readonly AccountCommit[]
  readonly operation?: Operation
  readonly arrival?: Arrival
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
      /** Parallel: the new emails, where they came from another account. */
      readonly emails?: readonly { readonly emailId: EmailId; readonly threadId: ThreadId }[]
    }
  | {
      readonly kind: 'mailbox'
      readonly mailbox: MailboxRow
      /** Of a `grant`: what the entry said before and says now. */
      readonly granted?: { readonly before: Rights; readonly after: Rights }
    }
  | { readonly kind: 'restore'; readonly restored: number }
  | { readonly kind: 'done' }

export type CommitRefusal = {
  /** noMailbox: [TRYCREATE]; exists; limit: a named limit; quota: what the account may hold; notEmptyName; conflict: numbers taken, or a memory that `isFirst` stands; reserved: INBOX and the like; noPermission: the owner's ACL does not allow it. */
  readonly code:
    | 'noMailbox'
    | 'exists'
    | 'limit'
    | 'badName'
    | 'conflict'
    | 'reserved'
    | 'quota'
    | 'noPermission'
  readonly text: string
}

export type AccountCommitResult =
  | {
      readonly kind: 'committed'
      readonly results: readonly ChangeResult[]
      /** Its owner is to be told by a commit with this `notice`; said at each commit until that is made. */
      readonly notice?: QuotaNotice
    }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly refusal: CommitRefusal; readonly notice?: QuotaNotice }

export interface OutboxItem extends Omit<OutboxEntry, 'content' | 'releaseAtMs' | 'once'> {
  readonly accountId: AccountId
  readonly sizeBytes: number
}
