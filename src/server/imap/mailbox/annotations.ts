import type { Retention } from '#store/mailbox/mailbox-view.ts'
import { RETAIN_DAYS_MAX } from '#store/mailbox/mailbox-view.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { annotationId, isSharedEntry, SCRIPT_ENTRY } from '#store/mailbox/kept-object.ts'
import { no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import type { AccountId } from '#model/account.ts'
import { hasRight } from '#model/acl.ts'
import { findMailbox, noMailbox } from './mailboxes.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** Octets of one value; a command with its literals is not much longer. */
const VALUE_BYTES_MAX = 32_768

/** How many days the mailbox keeps its messages: a number, `forever`, or nothing for what lies above it. */
const RETAIN_ENTRY = '/private/vendor/watari/retain'

/** Entries that the server has and nobody writes here (RFC 5464 §6.2.1). */
const READ_ONLY_ENTRY = '/shared/admin'

/** What entries are of: a mailbox and whose it is, or the server itself where there is no row. */
export interface Annotated {
  readonly row: MailboxRow | undefined
  readonly accountId: AccountId
}

/** What is meant by a name. */
export async function annotated(
  session: ImapSession,
  name: string,
): Promise<Annotated | { readonly refused: Completion }> {
  if (name === '') return { row: undefined, accountId: session.accountId }
  const found = await findMailbox(session, name)
  if ('refused' in found) return found
  // RFC 5464 §3.3: l, and one of these besides.
  const { rights } = found.row
  if (rights !== undefined && !hasRight(rights, 'l')) return { refused: noMailbox() }
  return rights === undefined || /[rswip]/.test(rights)
    ? found
    : { refused: no('NOPERM', 'The owner of the mailbox does not let you do that') }
}

/** All entries, by name: those for all are kept with the mailbox, private ones with who noted them. */
export async function annotationsOf(
  session: ImapSession,
  { row, accountId }: Annotated,
): Promise<Map<string, string>> {
  const prefix = annotationId(row?.id, '')
  const entries = new Map<string, string>()
  for (const keeper of new Set([session.accountId, accountId])) {
    const { objects } = await session.room.store.objects({ accountId: keeper, kind: 'Annotation' })
    for (const { id, value } of objects) {
      const entry = id.startsWith(prefix) ? id.slice(prefix.length) : undefined
      if (entry !== undefined && keeper === keeperOf(session, { row, accountId }, entry))
        entries.set(entry, String(value['text']))
    }
  }
  if (row !== undefined && row.rights === undefined && row.retention !== 'inherit')
    entries.set(RETAIN_ENTRY, String(row.retention))
  return entries
}

/** With whose mail an entry is kept. */
export const keeperOf = (
  session: ImapSession,
  { accountId }: Annotated,
  entry: string,
): AccountId => (isSharedEntry(entry) ? accountId : session.accountId)

/** What sets an entry, or why it cannot be. */
export function annotating(
  row: MailboxRow | undefined,
  [entry, value]: readonly [string, string | null],
): MailboxChange | { readonly refused: Completion } {
  if (entry === READ_ONLY_ENTRY) return { refused: no('NOPERM', 'That entry is the server\u2019s') }
  // RFC 6785 §6: a script acts in its owner's name, whoever does something in the mailbox.
  if (row?.rights !== undefined && (entry === RETAIN_ENTRY || entry === SCRIPT_ENTRY))
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
