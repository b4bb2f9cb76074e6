import { HOUR_MS, MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Log } from '#base/log.ts'
import type { MailCommand, Reception } from '#model/reception.ts'
import type { Reply } from '#model/reply.ts'
import type { ListenPlace } from '#net/listen.ts'
import type { TlsIdentity } from '#net/tls.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'

/** What a session never exceeds; each has a clear reply. */
export interface SmtpLimits {
  /** A command line; RFC 5321 §4.5.3.1.4 asks for 512. */
  readonly commandBytesMax: number
  readonly messageBytesMax: number
  /** RFC 5321 §4.5.3.1.8 asks for 100. */
  readonly recipientsMax: number
  /** Refused recipients of one session, after which it ends: nobody tries out a dictionary. */
  readonly refusedRecipientsMax: number
  /** Wrong and unknown commands of one session. */
  readonly errorsMax: number
  readonly loginFailuresMax: number
  readonly connectionsMax: number
  /** Of one IPv4 address, or one /64 of IPv6. */
  readonly connectionsPerIpMax: number
  /** RFC 5321 §4.5.3.2.7: five minutes. */
  readonly commandTimeoutMs: number
  /** DATA or BDAT without one further octet; RFC 5321 §4.5.3.2.5. */
  readonly dataTimeoutMs: number
  /** A reply that the peer does not read. */
  readonly writeTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** On submission, until somebody has logged in: nothing else can be done there. */
  readonly loginTimeoutMs: number
}

export const SMTP_LIMITS: SmtpLimits = {
  commandBytesMax: 2_048,
  messageBytesMax: 52_428_800,
  recipientsMax: 1_000,
  refusedRecipientsMax: 1_000,
  errorsMax: 20,
  loginFailuresMax: 3,
  connectionsMax: 2_000,
  connectionsPerIpMax: 200,
  commandTimeoutMs: 5 * MINUTE_MS,
  dataTimeoutMs: 3 * MINUTE_MS,
  writeTimeoutMs: 5 * MINUTE_MS,
  sessionTimeoutMs: 2 * HOUR_MS,
  loginTimeoutMs: 5 * MINUTE_MS,
}

/** A verdict with much evidence travels in MAIL between our own nodes. */
export const HANDED_LINE_BYTES_MAX = 65_536
/** RFC 4954 §4 for lines of AUTH. */
export const AUTH_LINE_BYTES_MAX = 12_288

/** Where people log in, for those who knock at the wrong door. Ports are those really listened on. */
export interface SubmissionTexts {
  readonly authHost: string
  readonly authPorts: readonly { readonly port: number; readonly tls: 'starttls' | 'implicit' }[]
}

export type MailDoor = 'mx' | 'relay' | 'submission' | 'lmtp'

export interface MailListenerOptions {
  readonly door: MailDoor
  readonly listen: ListenPlace
  readonly tls?: 'starttls' | 'implicit'
  /** Asked at each handshake, so that a renewed certificate needs no restart. */
  readonly identity?: () => TlsIdentity
  /** Banner and EHLO name. */
  readonly hostname: string
  readonly reception: Reception
  /** Submission only. */
  readonly authenticator?: Authenticator
  /** Who may send here at all (relay, LMTP); a Reply is the refusal's own text. */
  readonly allow?: (ip: string) => boolean | Reply
  /** From where passwords are taken without TLS; nowhere, where absent. */
  readonly allowPlaintext?: (ip: string) => boolean
  /** Whether SCRAM-SHA-256-PLUS is offered too, where SCRAM is. */
  readonly scramPlus?: () => boolean
  /** Read when a session begins. */
  readonly limits?: Partial<SmtpLimits> | (() => Partial<SmtpLimits>)
  readonly texts: () => SubmissionTexts
  readonly clock: Clock
  readonly log: Log
  /** LMTP from joined nodes: XWATARI is believed. */
  readonly trusted?: boolean
  /** Reads XWATARI; undefined where it is malformed. */
  readonly parseHanded?: (text: string) => MailCommand['handed'] | undefined
  /** The domain of `RCPT TO:<Postmaster>`; the host name where absent. */
  readonly postmasterDomain?: string
}
