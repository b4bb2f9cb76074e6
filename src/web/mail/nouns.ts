import type { SharedAccount } from './client.ts'

export interface Person {
  readonly name: string | null
  readonly email: string
}

export type MailboxRight =
  | 'mayReadItems'
  | 'mayAddItems'
  | 'mayRemoveItems'
  | 'maySetSeen'
  | 'maySetKeywords'

export interface Mailbox {
  readonly id: string
  readonly name: string
  readonly parentId: string | null
  readonly role: string | null
  readonly sortOrder: number
  readonly totalEmails: number
  readonly unreadEmails: number
  readonly myRights: Readonly<Record<MailboxRight, boolean>>
  /** Whose it is, where that is somebody else. */
  readonly owner?: SharedAccount
  /** Mail stays so many days; null or absent: for good. */
  readonly retainDays?: number | null
}
export const MAILBOX_PROPERTIES =
  'id name parentId role sortOrder totalEmails unreadEmails myRights retainDays'.split(' ')

/** A limit of the account (RFC 9425 §4.2). */
export interface Quota {
  readonly resourceType: 'octets' | 'count'
  readonly used: number
  readonly hardLimit: number
  readonly warnLimit: number | null
}
export const QUOTA_PROPERTIES = ['resourceType', 'used', 'hardLimit', 'warnLimit']

type Names = Readonly<Record<string, true>>

/** What a row of a list shows. */
export interface Row {
  readonly id: string
  /** Whose mail it is, where that is somebody else's. */
  readonly accountId?: string | undefined
  readonly threadId: string
  readonly mailboxIds: Names
  readonly keywords: Names
  readonly receivedAt: string
  readonly from: readonly Person[] | null
  readonly to: readonly Person[] | null
  readonly subject: string | null
  readonly preview: string
  readonly hasAttachment: boolean
  /** When its mailboxes let it go; null or absent: never. */
  readonly expiresAt?: string | null
}
export const ROW_PROPERTIES =
  'id threadId mailboxIds keywords receivedAt from to subject preview hasAttachment expiresAt'.split(
    ' ',
  )

export interface Part {
  readonly partId: string
  readonly blobId: string
  readonly size: number
  readonly name: string | null
  readonly type: string
}

export interface Message extends Row {
  readonly cc: readonly Person[] | null
  readonly bcc: readonly Person[] | null
  readonly replyTo: readonly Person[] | null
  readonly messageId: readonly string[] | null
  readonly inReplyTo: readonly string[] | null
  readonly references: readonly string[] | null
  readonly sentAt: string | null
  readonly blobId: string
  readonly textBody: readonly Part[]
  readonly attachments: readonly Part[]
  readonly bodyValues: Readonly<
    Record<string, { readonly value: string; readonly isTruncated: boolean }>
  >
  readonly 'header:Authentication-Results:asText:all': readonly string[]
  readonly 'header:X-Watari-Verdict:asText': string | null
}
export const MESSAGE_PROPERTIES = [
  ...ROW_PROPERTIES,
  ...'cc bcc replyTo messageId inReplyTo references sentAt blobId textBody attachments bodyValues'.split(
    ' ',
  ),
  'header:Authentication-Results:asText:all',
  'header:X-Watari-Verdict:asText',
]
/** Octets of a text that the reader shows; all of it can be downloaded. */
export const BODY_BYTES_MAX = 1_000_000

export const has = (row: Pick<Row, 'keywords'>, keyword: string): boolean =>
  row.keywords[keyword] === true

/**
 * Text that a stranger wrote, on one line. What turns the direction of writing round is taken out:
 * `gpj.exe` would be shown as `exe.jpg`.
 */
export const plain = (text: string): string =>
  text
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()

/** How people call them: the name, or else the address. */
export const nameOf = ({ name, email }: Person): string => plain(name ?? '') || plain(email)

/** `渡辺 花子 <hanako@campus.example>`, as it can be typed. */
export function personText({ name, email }: Person): string {
  const shown = plain(name ?? '')
  if (shown === '') return plain(email)
  return /[,;<>"@()\\]/.test(shown)
    ? `"${shown.replace(/["\\]/g, '\\$&')}" <${plain(email)}>`
    : `${shown} <${plain(email)}>`
}

export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1)
