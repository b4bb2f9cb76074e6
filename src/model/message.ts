/** A stretch of a message's octets. */
export interface OctetRange {
  readonly offset: number
  readonly length: number
}

/** One address of a header, as IMAP's ENVELOPE wants it; strings hold one character an octet (latin1). */
export interface HeaderAddress {
  /** Display name, still encoded as it stood (RFC 2047 words and raw 8-bit octets alike). */
  readonly name?: string
  /** Local part; absent with `host` absent too marks the end of a group (RFC 9051 §7.5.2). */
  readonly mailbox?: string
  readonly host?: string
  /** Source route in front of the address, `@a,@b`; ENVELOPE alone tells it (RFC 9051 §7.5.2, RFC 5322 §4.4). */
  readonly route?: string
}

/** The fields of ENVELOPE (RFC 9051 §7.5.2), unfolded, one character an octet; absent fields are undefined. */
export interface HeaderEnvelope {
  readonly date?: string
  readonly subject?: string
  readonly from?: readonly HeaderAddress[]
  readonly sender?: readonly HeaderAddress[]
  readonly replyTo?: readonly HeaderAddress[]
  readonly to?: readonly HeaderAddress[]
  readonly cc?: readonly HeaderAddress[]
  readonly bcc?: readonly HeaderAddress[]
  readonly inReplyTo?: string
  readonly messageId?: string
}

export type MimeParams = readonly (readonly [name: string, value: string])[]

/** One MIME part with where it lies. Offsets count from the message's first octet. */
export interface MimePart {
  /** Lower-case; `text`/`plain` where the field is absent or broken. */
  readonly type: string
  readonly subtype: string
  readonly params: MimeParams
  readonly id?: string
  readonly description?: string
  /** Lower-case; `7bit` where absent. */
  readonly encoding: string
  readonly disposition?: { readonly kind: string; readonly params: MimeParams }
  readonly language?: readonly string[]
  readonly location?: string
  readonly md5?: string
  /** The part's own header, its blank line included. */
  readonly header: OctetRange
  readonly body: OctetRange
  /** Lines of the body, for text and message parts. */
  readonly lines: number
  /** Children of a multipart. */
  readonly parts: readonly MimePart[]
  /** The message inside a message/rfc822 part. */
  readonly message?: { readonly envelope: HeaderEnvelope; readonly root: MimePart }
}

/** What is parsed once, when a message is stored, and kept with it. */
export interface MessageMeta {
  readonly sizeBytes: number
  readonly envelope: HeaderEnvelope
  readonly root: MimePart
  /** Message-IDs of References and In-Reply-To, oldest first, for threading. */
  readonly references: readonly string[]
  /** Of `references`, how many at the end stand in In-Reply-To alone; absent without that field, and in old records. */
  readonly repliedCount?: number
  /** The Date field in ms; absent where there is none that can be read. */
  readonly sentAtMs?: number
  /** Up to 256 characters of the first text, decoded, white space folded. */
  readonly preview: string
  /** True where a limit cut the analysis short: what lies deeper is one opaque leaf. */
  readonly truncated: boolean
}
