import type { Octets } from '#base/octets.ts'
import type { Address } from '#model/address.ts'
import type { DeliverBy } from '#model/envelope.ts'

import type { SieveInclusion, SieveProgram } from './language.ts'

/** An address as a field has it, or a text in its place that is none: that is compared as a whole only. */
export interface WrittenAddress {
  readonly all: string
  /** Without quotes. */
  readonly localpart?: string
  /** In the case that it was written in. */
  readonly domain?: string
}

/** What a script can ask about a header. */
export interface SieveHeader {
  /** Values of a field, unfolded and decoded (RFC 5228 §2.7.2), in their order; the name is lower-case. */
  header(name: string): readonly string[]
  /** The mailboxes of a field's address list. */
  addresses(name: string): readonly Address[]
  /** Those of each field of the name, as they are written there. */
  addressFields?(name: string): readonly (readonly WrittenAddress[])[]
}

/** What a script can ask about one delivery. */
export interface SieveMessage extends SieveHeader {
  readonly sizeBytes: number
  readonly envelopeFrom: Address | null
  /** The recipient of this delivery. */
  readonly envelopeTo: Address
  /**
   * Flags of a message that stands in a mailbox and to which something has happened (RFC 6785); absent in a
   * delivery. Then there is no envelope, and nobody to be answered.
   */
  readonly flags?: readonly string[]
  /** Of a trial: paths as they were written; one that is no path at all is met by nothing. */
  readonly envelopeTexts?: {
    readonly from?: readonly WrittenAddress[]
    readonly to?: readonly WrittenAddress[]
  }
  /** True where the account has this mailbox; the name with `/` between its components. */
  mailboxExists(name: string): boolean
  /** The name of the account's mailbox that has a role (RFC 8579) or an id (RFC 9042). */
  readonly mailboxOf?: (by: {
    readonly specialUse?: string
    readonly mailboxId?: string
  }) => string | undefined
  /** Those of the keys that earlier deliveries to this account have left in memory. */
  readonly remembered?: (keys: readonly string[]) => readonly string[]
  /** 0 not tested, 1 clean … 10 spam (RFC 5235 §3.2). */
  readonly spamValue: number
  /** The message as it came, or the beginning of a large one; absent: nothing of it is at hand. */
  readonly content?: Octets
  /** True where `content` is not all of it. */
  readonly isCut?: boolean
  /** How the submitter authenticated; the account's name. */
  readonly envelopeAuth?: string
  /** What the sender asked to hear of, of this recipient (RFC 6009 §4): `SUCCESS`, `rfc822;hanako@example`. */
  readonly envelopeDsn?: {
    readonly notify?: readonly string[]
    readonly orcpt?: string
    readonly ret?: string
    readonly envid?: string
  }
  /** Until when it was to arrive (RFC 6009 §5). */
  readonly envelopeBy?: DeliverBy
  /** Now; absent: what asks for it finds nothing. */
  readonly nowMs?: number
  /** Minutes east of UTC, at a time: the zone of who gets the mail. */
  readonly zoneMinutes?: (atMs: number) => number
  /** Of RFC 5183 §4, in lower case. */
  readonly environment?: Readonly<Record<string, string>>
  /** 0 to 100, where it is finer than `spamValue`. */
  readonly spamPercent?: number
  /** 0 not tested, 1 clean … 5 infected (RFC 5235 §3.3). */
  readonly virusValue?: number
  readonly lists?: SieveLists
  /** An annotation of a mailbox, or of the server for undefined (RFC 5490 §3, §4). */
  readonly annotation?: (mailbox: string | undefined, entry: string) => string | undefined
  /** The scripts that others include, compiled; undefined: there is none, or it does not compile. */
  readonly scripts?: (inclusion: SieveInclusion) => SieveProgram | undefined
}

/** Lists that are kept outside of scripts (RFC 6134). */
export interface SieveLists {
  /** True where there is such a list. */
  has(list: string): boolean
  /** True where the list holds the value, an address for most. */
  holds(list: string, value: string): boolean
  /** Where mail for all of it is sent; undefined: there is no such list, or it is none to send to. */
  addresses(list: string): readonly Address[] | undefined
}
