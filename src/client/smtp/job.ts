import type { Socket } from 'node:net'
import type { Octets } from '#base/octets.ts'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Address } from '#model/address.ts'
import type { DeliverBy, BodyKind, Recipient } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'

/** One address of a host that takes the mail, or the path of a Unix socket. */
export type Endpoint =
  | {
      /** What TLS and people know the host by. */
      readonly name: string
      readonly ip: string
      readonly port: number
    }
  | { readonly path: string }
  /** A connection that somebody else opens, secured by them. */
  | { readonly name: string; readonly open: () => Promise<Socket> }

/** The octets of a message; `read` gives exactly `length` of them where they exist. */
export interface ContentSource {
  readonly sizeBytes: number
  read(offset: number, length: number): Promise<Octets>
}

/** One message for some recipients of one next hop. */
export interface DeliverJob {
  readonly protocol: 'smtp' | 'lmtp'
  /** Tried in this order until one lets us in. */
  readonly endpoints: readonly Endpoint[]
  /** Connections are used again for jobs of the same name. */
  readonly poolKey: string
  /** opportunistic: encrypted where the peer offers it, whatever its certificate (RFC 7435 §3). */
  readonly tls: 'opportunistic' | 'never'
  readonly helo: string
  readonly reversePath: Address | null
  readonly recipients: readonly Recipient[]
  readonly body: BodyKind
  readonly smtpUtf8: boolean
  readonly ret?: 'full' | 'hdrs'
  readonly envid?: string
  /** Of mail that another host passes on: until when it is to arrive. */
  readonly deliverBy?: DeliverBy
  readonly content: ContentSource
  /** Value of the XWATARI parameter: told to peers that offer it, which are our own stores. */
  readonly handed?: string
}

/** What became of one recipient; `self` marks a reply that no peer gave. */
export interface RecipientResult {
  readonly reply: Reply
  readonly by: 'peer' | 'self'
}

export interface Delivered {
  /** In the order of the job's recipients. */
  readonly results: readonly RecipientResult[]
  /** `mx.example [192.0.2.1]`, for people and reports. */
  readonly peer: string
  /** The peer reports success itself (it offers DSN, RFC 3461 §5.2.2). */
  readonly relayedDsn: boolean
  /** The peer knows until when it is to arrive. */
  readonly relayedBy: boolean
  readonly tls: boolean
}

/** How long each step may take (RFC 5321 §4.5.3.2); the least that it asks for. */
export const CONNECT_TIMEOUT_MS = 30 * SECOND_MS
export const GREETING_TIMEOUT_MS = 5 * MINUTE_MS
export const COMMAND_TIMEOUT_MS = 5 * MINUTE_MS
export const TLS_TIMEOUT_MS = 30 * SECOND_MS
export const DATA_TIMEOUT_MS = 2 * MINUTE_MS
export const BLOCK_TIMEOUT_MS = 3 * MINUTE_MS
export const FINAL_TIMEOUT_MS = 10 * MINUTE_MS
export const QUIT_TIMEOUT_MS = 2 * SECOND_MS

export function peerName(endpoint: Endpoint): string {
  if ('path' in endpoint) return endpoint.path
  return 'open' in endpoint ? endpoint.name : `${endpoint.name} [${endpoint.ip}]`
}
