import type { Octets } from '#base/octets.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import type { SieveLimits } from '#engine/sieve/run.ts'
import type { Address } from '#model/address.ts'
import type { BodyKind } from '#model/envelope.ts'
import type { MailboxChange, Memory, OutboxEntry } from '#store/mailbox/commit.ts'
import type { MailOwner } from './mail-owner.ts'
import type { ScriptTrouble } from './script-trouble.ts'

/** One recipient's delivery, before its scripts have run. */
export interface Delivery {
  readonly deliveryId: string
  readonly reversePath: Address | null
  /** As the envelope named it, detail included. */
  readonly recipient: Address
  readonly body: BodyKind
  readonly smtpUtf8: boolean
  readonly message: SieveMessage
  readonly nowMs: number
  /** A 250 was said for it: a script can refuse it no more. */
  readonly isAccepted?: boolean
  /** What stands in front of the message's octets: the transaction's Received. */
  readonly trace?: Octets
  readonly limits?: SieveLimits
  /** Whose mail it is; without them nothing is sent in their name. */
  readonly owner?: MailOwner
}

/** What is committed for one recipient; `trouble` names scripts that failed: then the mail is kept. */
export interface DeliveryPlan {
  /** Of their contents 0 is the message, 1 the first of `contents`, and so on. */
  readonly changes: readonly MailboxChange[]
  readonly contents: readonly Octets[]
  /** How many of the first of those are the message as scripts have changed it. */
  readonly editedCount?: number
  readonly outbox: readonly OutboxEntry[]
  readonly memories: readonly Memory[]
  /** Names of mailboxes, for events. */
  readonly filed: readonly string[]
  readonly refusal?: string
  readonly trouble: readonly ScriptTrouble[]
  /** Answers and notifications that a script wanted and nobody gets, with why. */
  readonly unsent: readonly string[]
}
