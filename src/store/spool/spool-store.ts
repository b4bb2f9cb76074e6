import type { Octets } from '#base/octets.ts'
import type { Address } from '#model/address.ts'
import type {
  DeliverBy,
  BodyKind,
  DeliveryId,
  Door,
  NotifyEvent,
  SignedCopies,
  Verp,
} from '#model/envelope.ts'
import type { Verdict } from '#model/verdict.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'

/** Names one message in one queue; shown to peers in the 250. */
export type QueueId = string & { readonly __brand: 'QueueId' }

/** A message as it enters a queue. */
export interface Accept {
  readonly deliveryId: DeliveryId
  readonly door: Door
  readonly reversePath: Address | null
  readonly recipients: readonly QueueRecipientInput[]
  readonly body: BodyKind
  readonly smtpUtf8: boolean
  readonly ret?: 'full' | 'hdrs'
  readonly envid?: string
  /** Until when it is to arrive (RFC 2852); where it is returned then, it expires then. */
  readonly deliverBy?: DeliverBy
  readonly verdict?: Verdict
  /** What tells a foreign peer's sender and octets from all others: it may send them once more. */
  readonly octetsKey?: string
  /** One mail to many: it goes when what is for single people has gone. */
  readonly isBulk?: true
  /** Of such a mail: how its reverse-path names each recipient elsewhere. */
  readonly verp?: Verp
  /** Of such a mail, where its list's domain signs. */
  readonly signed?: SignedCopies
  readonly receivedAtMs: number
  readonly expiresAtMs: number
  readonly content: Content
}

export interface QueueRecipientInput {
  readonly address: Address
  readonly original?: string
  readonly notify?: readonly NotifyEvent[]
  /** Present: held at once, with the reason. */
  readonly hold?: string
}

export type RecipientState = 'ready' | 'claimed' | 'held' | 'delivered' | 'failed' | 'dropped'

export interface QueueRecipient extends QueueRecipientInput {
  /** Place within the message, from 0. */
  readonly index: number
  readonly state: RecipientState
  readonly attempts: number
  readonly nextAttemptMs: number
  /** The last answer, one line, for people and DSNs. */
  readonly lastStatus?: string
  readonly delayNotified: boolean
}

/** One message of the queue without its octets. */
export interface QueueMessage extends Omit<Accept, 'content' | 'recipients'> {
  readonly queueId: QueueId
  readonly sizeBytes: number
  readonly recipients: readonly QueueRecipient[]
}

/** One recipient of the queue. */
export interface RecipientPlace {
  readonly queueId: QueueId
  readonly index: number
}

/** What became of one recipient in one attempt. */
export type Settlement = {
  readonly queueId: QueueId
  readonly index: number
} & (
  | { readonly kind: 'delivered' | 'failed' | 'dropped'; readonly status: string }
  | {
      readonly kind: 'deferred'
      readonly status: string
      readonly nextAttemptMs: number
      readonly delayNotified: boolean
    }
  | { readonly kind: 'held'; readonly reason: string }
)

export interface SpoolStatus {
  readonly messages: number
  readonly recipients: Readonly<Record<RecipientState, number>>
  readonly oldestMs?: number
  readonly freeBytes: number
  /** Below the reserve: no new mail is taken. */
  readonly full: boolean
}

export interface QueueFilter {
  readonly state?: RecipientState
  /** Text within the sender's or a recipient's address; ASCII case does not count. */
  readonly address?: string
  /** Text within an address, a last answer, the reason of a hold, or the whole queue or delivery id. */
  readonly text?: string
  /** A recipient's domain, in A- or U-labels. */
  readonly domain?: string
  /** Ids from this one on; `timeId` makes one of a time. */
  readonly from?: QueueId
  /** Ids before this one. */
  readonly before?: QueueId
  readonly after?: QueueId
  /** Absent: the oldest first. */
  readonly order?: 'newest'
  readonly limit: number
}

/**
 * The durable queue of one node. Crash states by name:
 * S1 written (octets in the segment) · S2 synced · S3 queued (rows committed; only now may we say 250)
 * S4 claimed (in this process's memory only: a restart makes it ready again) · S5 settled · S6 gone.
 */
export interface SpoolStore {
  openLarge(): Promise<{ readonly handle: LargeHandle }>
  appendLarge(part: { readonly handle: LargeHandle; readonly octets: Octets }): Promise<void>
  /** Octets of a large file that is not accepted yet, for the judges. */
  readLarge(part: {
    readonly handle: LargeHandle
    readonly offset: number
    readonly length: number
  }): Promise<{ readonly octets: Octets }>
  abortLarge(part: { readonly handle: LargeHandle }): Promise<void>
  /**
   * Durable when it resolves. What comes by the door `outbox` enters once for each delivery id: a
   * repetition queues nothing, and is told the first one's id. Throws Fault `full`, `stalled`, `io`.
   */
  accept(accept: Accept): Promise<{ readonly queueId: QueueId }>
  /**
   * Ready recipients whose time has come, oldest first, now claimed; those of one message come together.
   * Each message shows only the recipients that this call claimed. `limit` counts recipients; a last
   * message comes whole. Bulk is counted apart, comes last, and is not looked at where its limit is 0;
   * absent: it is `limit`. A claim ends by `settle` or with the process.
   */
  claim(ask: {
    readonly nowMs: number
    readonly limit: number
    readonly bulkLimit?: number
  }): Promise<{
    readonly messages: readonly QueueMessage[]
    /** When the next one falls due of those that were looked at, absent where none waits. */
    readonly nextDueMs?: number
  }>
  /**
   * Durable when it resolves. `dsns` enter in the same transaction. A message whose recipients are all
   * ended is forgotten. Repeating it is safe: recipients that have ended stay as they are, and where
   * none was open any more the DSNs do not enter again. Where it throws, the claims stay: ask again.
   */
  settle(done: {
    readonly settlements: readonly Settlement[]
    readonly dsns: readonly Accept[]
  }): Promise<{ readonly queued: readonly QueueId[] }>
  /** Up to 1 MiB a call; shorter at the end. Throws Fault `notFound`, `corrupt`, `io`. */
  read(part: {
    readonly queueId: QueueId
    readonly offset: number
    readonly length: number
  }): Promise<{ readonly octets: Octets }>
  /**
   * In the order of their ids, or against it. A call looks at a bounded number of messages: where few match, a page
   * is short or empty and has a `next` all the same, to be given as `after`. Absent: that was the end.
   */
  list(filter: QueueFilter): Promise<{
    readonly messages: readonly QueueMessage[]
    readonly next?: QueueId
  }>
  show(ask: { readonly queueId: QueueId }): Promise<{ readonly message?: QueueMessage }>
  /**
   * Acts of the administrator; counts the recipients that it changed. Claimed ones are left alone.
   * What is released begins its lifetime anew.
   */
  act(act: {
    readonly queueId: QueueId
    readonly act: 'hold' | 'release' | 'retry' | 'drop'
    readonly nowMs: number
  }): Promise<{ readonly changed: number }>
  /**
   * Makes ready recipients due now, up to a bounded number; claimed ones are left alone. `these`: what
   * waited has come about. `laterThanMs`: no wait is so long, so that their times are of a wrong clock.
   */
  hasten(ask: {
    readonly nowMs: number
    readonly what: { readonly these: readonly RecipientPlace[] } | { readonly laterThanMs: number }
  }): Promise<{ readonly changed: number }>
  status(): Promise<SpoolStatus>
}
