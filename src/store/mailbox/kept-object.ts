import { fromLatin1, fromUtf8, toLatin1, toUtf8 } from '#base/octets.ts'
import type { MailboxId } from '#model/mailbox.ts'

/**
 * What is kept for an account beside its mail; what stands in it is JMAP's, IMAP's (Annotation), or of a
 * mailing list: what is known of its posts, of those that wait, of whom its posts do not reach, and of
 * whom it has answered.
 */
export const OBJECT_KINDS = [
  'Annotation',
  'AsideMail',
  'EmailSubmission',
  'HeldPost',
  'Identity',
  'ListAnswer',
  'ListBounce',
  'ListDigest',
  'ListKey',
  'ListTry',
  'Post',
  'PushSubscription',
  'Recipients',
  'SeenId',
] as const
export type ObjectKind = (typeof OBJECT_KINDS)[number]

/** The id of an entry of a mailbox, or of the account itself where there is none. */
export const annotationId = (mailboxId: MailboxId | undefined, entry: string): string =>
  `${mailboxId ?? ''}:${entry}`

/** Whether all who see the mailbox see the entry (RFC 5464 §3.2). */
export const isSharedEntry = (entry: string): boolean => entry.startsWith('/shared/')

/** An entry's value as text: IMAP keeps octets, a character each (RFC 5464 §5). */
export const annotationText = (value: KeptObject['value']): string =>
  toUtf8(fromLatin1(String(value['text'])))
/** A text as such a value. */
export const annotationValue = (text: string): KeptObject['value'] => ({
  text: toLatin1(fromUtf8(text)),
})

/** Names the script of the account that runs at what happens to messages of the mailbox (RFC 6785 §2.3.1). */
export const SCRIPT_ENTRY = '/shared/imapsieve/script'

/** Which mailbox an entry is of, and what it is called. */
export function annotationOf(id: string): {
  readonly mailboxId?: MailboxId
  readonly entry: string
} {
  const at = id.indexOf(':')
  return {
    ...(at > 0 && { mailboxId: id.slice(0, at) as MailboxId }),
    entry: id.slice(at + 1),
  }
}

export interface KeptObject {
  readonly id: string
  readonly madeAtMs: number
  /** Its outbox entry still waits. */
  readonly waits: boolean
  readonly value: Readonly<Record<string, unknown>>
}

export interface KeptObjects {
  readonly state: number
  readonly objects: readonly KeptObject[]
}

export interface ObjectChanges {
  readonly state: number
  readonly changes: readonly {
    readonly id: string
    readonly isNew: boolean
    readonly isGone: boolean
    /** The state behind this change. */
    readonly seq: number
  }[]
  readonly more: boolean
}

export type ObjectChange =
  /** In the place of one of the same id; `entry`: the outbox entry that goes out for it. */
  | {
      readonly kind: 'keep'
      readonly object: ObjectKind
      readonly id: string
      readonly value: Readonly<Record<string, unknown>>
      readonly entry?: string
    }
  /** Nothing where there is none. */
  | { readonly kind: 'forget'; readonly object: ObjectKind; readonly id: string }
