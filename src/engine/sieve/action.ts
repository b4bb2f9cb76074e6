import type { Octets } from '#base/octets.ts'
import type { Address } from '#model/address.ts'
import type { DeliverBy, DsnWish } from '#model/envelope.ts'

import type { SieveHeader } from './message.ts'

/** What a script wants to happen to one delivery, in order. */
export type SieveAction =
  | { readonly kind: 'keep'; readonly flags: readonly string[]; readonly edited?: SieveEdited }
  | ({ readonly kind: 'fileinto'; readonly edited?: SieveEdited } & SieveTarget)
  | SieveRedirect
  | { readonly kind: 'reject'; readonly reason: string }
  | { readonly kind: 'discard' }
  | SieveVacation
  | SieveNotify

export interface SieveRedirect {
  readonly kind: 'redirect'
  readonly address: Address
  readonly edited?: SieveEdited
  readonly dsn?: DsnWish
  readonly deliverBy?: DeliverBy
}

/** A mailbox to file into. */
export interface SieveTarget {
  readonly mailbox: string
  readonly create: boolean
  readonly flags: readonly string[]
  /** The mailbox that has this role, where there is one (RFC 8579 §4): `\Junk`. */
  readonly specialUse?: string
  /** The mailbox of this id, where there is one (RFC 9042 §4). */
  readonly mailboxId?: string
}

/** An answer to the sender (RFC 5230): whether one is sent is decided with the delivery. */
export interface SieveVacation {
  readonly kind: 'vacation'
  readonly reason: string
  /** The reason is a MIME entity, its header included. */
  readonly isMime: boolean
  /** One answer a sender in so long; 0: to each mail (RFC 6131 §2). */
  readonly seconds: number
  readonly subject?: string
  readonly from?: string
  readonly addresses: readonly string[]
  readonly handle?: string
  /** Where a copy of it is filed (RFC 8580). */
  readonly fcc?: SieveTarget
  /** That of the mail as the script had changed it by then (RFC 5293 §7). */
  readonly header?: SieveHeader
}

/** A notification by mail (RFC 5435, RFC 5436). */
export interface SieveNotify {
  readonly kind: 'notify'
  /** A URI that `parseMailto` reads. */
  readonly method: string
  readonly from?: string
  readonly importance: '1' | '2' | '3'
  readonly message?: string
  readonly fcc?: SieveTarget
  /** As of a vacation. */
  readonly header?: SieveHeader
}

/** A message that a script has changed. */
export type SieveEdited =
  /** As it came, with fields in front: a large message and the copies of others stay shared. */
  | { readonly kind: 'prefixed'; readonly prefix: Octets }
  | { readonly kind: 'whole'; readonly octets: Octets }
