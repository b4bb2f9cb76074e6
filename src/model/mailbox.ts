import type { AccountId } from './account.ts'

/** IMAP numbers, branded so that none is taken for another. */
export type Uid = number & { readonly __brand: 'Uid' }
export type UidValidity = number & { readonly __brand: 'UidValidity' }
export type ModSeq = bigint & { readonly __brand: 'ModSeq' }
export type MailboxId = string & { readonly __brand: 'MailboxId' }
export type EmailId = string & { readonly __brand: 'EmailId' }
export type ThreadId = string & { readonly __brand: 'ThreadId' }

/** Special uses of RFC 6154, spelt as IMAP shows them. */
export const SPECIAL_USES = {
  inbox: 'inbox', // not of RFC 6154: JMAP's role, never shown by IMAP
  drafts: '\\Drafts',
  sent: '\\Sent',
  archive: '\\Archive',
  trash: '\\Trash',
  junk: '\\Junk',
} as const
export type SpecialUse = keyof typeof SPECIAL_USES

/** The five flags of RFC 9051 §2.3.2 that are stored, as bits 0–4. */
export const SYSTEM_FLAGS = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft'] as const
export const SEEN = 1
export const DELETED = 8

/** Components of a name from the root: `['Junk', 'SPAM']`. Separator and prefix are made at the protocol's edge. */
export type MailboxPath = readonly string[]

/** Of two paths in the form that they are stored in. */
export const isSamePath = (a: MailboxPath, b: MailboxPath): boolean =>
  a.length === b.length && a.every((component, depth) => component === b[depth])

/** Below it, by their names, lie the mailboxes of others that one may look up (RFC 2342 §5). */
export const OTHERS_ROOT = 'Other Users'
/** Other people's and shared mailboxes lie below these names; nothing of one's own is made there. */
/** How whoever subscribes to a mailbox of somebody's keeps it: by the account's id, which outlives a new name. */
export const othersName = (owner: AccountId, path: MailboxPath): MailboxPath => [
  OTHERS_ROOT,
  owner,
  ...path,
]

export const FOREIGN_ROOTS: readonly string[] = [OTHERS_ROOT, 'Shared']

export interface DefaultMailbox {
  readonly path: MailboxPath
  readonly use?: SpecialUse
  readonly retainDays?: number
}

/** What every account starts with, all subscribed. */
export const DEFAULT_MAILBOXES: readonly DefaultMailbox[] = [
  { path: ['INBOX'], use: 'inbox' },
  { path: ['Drafts'], use: 'drafts' },
  { path: ['Sent'], use: 'sent' },
  { path: ['Archive'], use: 'archive' },
  { path: ['Trash'], use: 'trash' },
  { path: ['Junk'], use: 'junk', retainDays: 30 },
  { path: ['Junk', 'SPAM'] },
  { path: ['Junk', 'Suspected SPAM'] },
]

export const MAILBOX_DEPTH_MAX = 20
export const MAILBOX_COMPONENT_BYTES_MAX = 255
export const MAILBOXES_PER_ACCOUNT_MAX = 10_000
