import type { Address } from '#model/address.ts'

/** What a script can ask about one delivery. */
export interface SieveMessage {
  readonly sizeBytes: number
  /** Values of a field, unfolded and decoded (RFC 5228 §2.7.2), in their order; the name is lower-case. */
  header(name: string): readonly string[]
  /** The mailboxes of a field's address list. */
  addresses(name: string): readonly Address[]
  readonly envelopeFrom: Address | null
  /** The recipient of this delivery. */
  readonly envelopeTo: Address
  /** True where the account has this mailbox; the name with `/` between its components. */
  mailboxExists(name: string): boolean
  /** The name of the account's mailbox that has a role (RFC 8579) or an id (RFC 9042). */
  readonly mailboxOf?: (by: {
    readonly specialUse?: string
    readonly mailboxId?: string
  }) => string | undefined
  /** Those of the keys that earlier deliveries to this account have left in memory. */
  readonly remembered?: (keys: readonly string[]) => readonly string[]
  /** 0 not tested, 1 clean … 10 spam (RFC 5235 §2.1). */
  readonly spamValue: number
}
