import type { Address } from './address.ts'

/** Names a message in every log of every role; made at reception, unchanged until delivery. */
export type DeliveryId = string & { readonly __brand: 'DeliveryId' }

export type BodyKind = '7bit' | '8bitmime' | 'binarymime'
export type NotifyEvent = 'success' | 'failure' | 'delay'

export interface Recipient {
  readonly address: Address
  /** ORCPT as it came, decoded from xtext: `rfc822;hanako@example` (RFC 3461 §4.2). */
  readonly original?: string
  /** NOTIFY (RFC 3461 §4.1); absent: failure and delay as we see fit; empty: NEVER. */
  readonly notify?: readonly NotifyEvent[]
}

/** Of what a mail's sender hears (RFC 3461 §4). */
export interface DsnWish {
  /** None: of nothing. */
  readonly notify?: readonly NotifyEvent[]
  readonly ret?: 'full' | 'hdrs'
}

/** Until when a mail is to arrive, and what is done where it has not (RFC 2852 §4). */
export interface DeliverBy {
  readonly atMs: number
  /** return: nothing more is tried. */
  readonly mode: 'return' | 'notify'
  /** The sender hears of each host that has passed it on. */
  readonly isTraced: boolean
}

/**
 * Variable reverse-paths of one mail to many: each recipient's bounces come back to an address that
 * names the recipient, with a mark that none can make who does not know the key.
 */
export interface Verp {
  readonly key: string
  /** The number of the post. */
  readonly post: number
  /** Where members leave by themselves; absent: they do not. */
  readonly leave?: LeaveAddresses
}

/** Of one mail to many, signed when it was queued: what a signature over another header needs (RFC 6376 §3.7). */
export interface SignedCopies {
  /** So many octets of signatures it begins with. */
  readonly startBytes: number
  /** SHA-256 of its body, base64. */
  readonly bodyHash: string
}

/** Where a list's mail says that one leaves it; each member elsewhere is told a way of their own. */
export interface LeaveAddresses {
  readonly address: Address
  /** Of the pages, `https://mail.campus.example`, where that is known. */
  readonly pages?: string
  /** The list's id, and its name in the path of its page. */
  readonly list: string
  readonly page: string
}

/** Which door a message came in by; policy differs by door. */
export type Door = 'mx' | 'relay' | 'submission' | 'lmtp' | 'outbox' | 'dsn'

/** The command that a peer greeted with. */
export type Greeting = 'HELO' | 'EHLO' | 'LHLO'

/** Who is at the other end of a connection, as far as we know. */
export interface Peer {
  /** In canonical text; an IPv4-mapped address is shown as IPv4. */
  readonly ip: string
  readonly port: number
  readonly helo?: string
  /** How it gave that name: HELO knows no extensions. Absent where nobody greeted: EHLO is meant. */
  readonly greeting?: Greeting
  /** The cipher of a TLS connection. */
  readonly tls?: { readonly version: string; readonly cipher: string }
  /** The account that logged in. */
  readonly accountId?: string
}

/**
 * How a transaction came in, as Received and logs name it: `SMTP`, `ESMTPSA`, `UTF8LMTPS` …
 * (RFC 3848, RFC 6531 §4.3). Who has said HELO and then uses an extension speaks ESMTP all the same.
 */
export function transmissionType(
  peer: Pick<Peer, 'accountId' | 'greeting' | 'tls'>,
  smtpUtf8: boolean,
): string {
  const { accountId, greeting, tls } = peer
  const isLmtp = greeting === 'LHLO'
  if (greeting === 'HELO' && accountId === undefined && !smtpUtf8) return 'SMTP'
  const base = smtpUtf8 ? (isLmtp ? 'UTF8LMTP' : 'UTF8SMTP') : isLmtp ? 'LMTP' : 'ESMTP'
  return `${base}${tls === undefined ? '' : 'S'}${accountId === undefined ? '' : 'A'}`
}
