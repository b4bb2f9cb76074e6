import type { Octets } from '#base/octets.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Account } from './account.ts'
import type { Address } from './address.ts'
import type { BodyKind, Door, Peer, Recipient } from './envelope.ts'
import type { Reply } from './reply.ts'
import type { Verdict } from './verdict.ts'

/** Recipients of one transaction between our own nodes. */
export const HANDED_RECIPIENTS_MAX = 10_000

/** MAIL as the session has parsed it. */
export interface MailCommand {
  readonly door: Door
  readonly peer: Peer
  /** Who logged in; always there on submission. */
  readonly account?: Account
  readonly reversePath: Address | null
  readonly body: BodyKind
  readonly smtpUtf8: boolean
  readonly sizeBytes?: number
  readonly ret?: 'full' | 'hdrs'
  readonly envid?: string
  /** From joined nodes only (LMTP): what the gateway already knows. */
  readonly handed?: { readonly deliveryId: string; readonly verdict?: Verdict }
}

/**
 * What a mail session hands its transaction to: the gateway's judged queue, or the store's delivery.
 * Every Reply is complete: the session only writes it.
 */
export interface Reception {
  /** The transaction that MAIL opens, or the refusal. */
  mail(command: MailCommand): Promise<Outcome<Transaction, Reply>>
  /** A refusal at the door, before any transaction: full, stalled, draining. Undefined: come in. */
  unready(): Reply | undefined
}

export interface Transaction {
  /** Undefined once accepted (the session then says 250 2.1.5). */
  rcpt(recipient: Recipient): Promise<Reply | undefined>
  /** Refuses DATA (452 full …) or opens the sink. */
  data(): Promise<Outcome<MessageSink, Reply>>
  abort(): void
}

export interface MessageSink {
  /** Content octets as the peer meant them: dots unstuffed. Resolves when more may come (back-pressure). */
  write(octets: Octets): Promise<void>
  /** One reply, or with LMTP one a recipient, in the order of RCPT. Durable where positive. */
  finish(): Promise<readonly Reply[]>
  /** The peer vanished, or broke a rule: nothing is kept. */
  abort(): Promise<void>
  /** After `finish`: the connection died before the peer can have heard the replies. */
  unheard?(): void
}
