import type { Retention } from '#store/mailbox/mailbox-view.ts'
import { RETAIN_DAYS_MAX } from '#store/mailbox/mailbox-view.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { annotationId } from '#store/mailbox/kept-object.ts'
import { no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { hasRight } from '#model/acl.ts'
import { findMailbox, noMailbox } from './mailboxes.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** Octets of one value; a command with its literals is not much longer. */
const VALUE_BYTES_MAX = 32_768

/** How many days the mailbox keeps its messages: a number, `forever`, or nothing for what lies above it. */
const RETAIN_ENTRY = '/private/vendor/watari/retain'

/** Entries that the server has and nobody writes here (RFC 5464 §6.2.1). */
const READ_ONLY_ENTRY = '/shared/admin'

/** The mailbox that is meant; undefined for the server itself. */
export async function annotated(
  session: ImapSession,
  name: string,
): Promise<{ readonly row: MailboxRow | undefined } | { readonly refused: Completion }> {
  if (name === '') return { row: undefined }
  const found = await findMailbox(session, name)
  if ('refused' in found) return found
  // RFC 5464 §3.3: l, and one of these besides.
  const { rights } = found.row
  if (rights !== undefined && !hasRight(rights, 'l')) return { refused: noMailbox() }
  return rights === undefined || /[rswip]/.test(rights)
    ? found
    : { refused: no('NOPERM', 'The owner of the mailbox does not let you do that') }
}

/** All entries of a mailbox, or of the server, by name; of somebody else's mailbox what this account noted of it. */
export async function annotationsOf(
  session: ImapSession,
  row: MailboxRow | undefined,
): Promise<Map<string, string>> {
  const { objects } = await session.room.store.objects({
    accountId: session.accountId,
    kind: 'Annotation',
  })
  const prefix = annotationId(row?.id, '')
  const entries = new Map<string, string>()
  for (const { id, value } of objects)
    if (id.startsWith(prefix)) entries.set(id.slice(prefix.length), String(value['text']))
  if (row !== undefined && row.rights === undefined && row.retention !== 'inherit')
    entries.set(RETAIN_ENTRY, String(row.retention))
  return entries
}

/** What sets an entry, or why it cannot be. */
export function annotating(
  row: MailboxRow | undefined,
  [entry, value]: readonly [string, string | null],
): MailboxChange | { readonly refused: Completion } {
  if (entry === READ_ONLY_ENTRY) return { refused: no('NOPERM', 'That entry is the server\u2019s') }
  // What all shall see of a mailbox, and how long it keeps mail, its owner says.
  if (row?.rights !== undefined && (entry === RETAIN_ENTRY || entry.startsWith('/shared/')))
    return { refused: no('NOPERM', 'Only the owner of the mailbox sets that') }
  if (value !== null && value.length > VALUE_BYTES_MAX)
    return { refused: no(`METADATA MAXSIZE ${VALUE_BYTES_MAX}`, 'The value is too long') } // RFC 5464 §4.3
  if (entry === RETAIN_ENTRY && row !== undefined) {
    const retention = value === null ? 'inherit' : retentionOf(value)
    return retention === undefined
      ? { refused: no('CANNOT', 'Days, or forever') }
      : { kind: 'retain', mailboxId: row.id, retention }
  }
  const id = annotationId(row?.id, entry)
  return value === null
    ? { kind: 'forget', object: 'Annotation', id }
    : { kind: 'keep', object: 'Annotation', id, value: { text: value } }
}

function retentionOf(value: string): Retention | undefined {
  if (value === 'forever') return 'forever'
  const days = /^[1-9]\d{0,5}$/.test(value) ? Number(value) : Infinity
  return days <= RETAIN_DAYS_MAX ? days : undefined
}
