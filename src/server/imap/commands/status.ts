import type { Uid } from '#model/mailbox.ts'
import type { StatusItem } from '#codec/imap/list-command.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done, no } from '#server/imap/session/completion.ts'
import { findMailbox, lacking, shownName } from '#server/imap/mailbox/mailboxes.ts'
import type { Found } from '#server/imap/mailbox/mailboxes.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** RFC 9051 §6.3.11. */
export const status: ImapCommand<'STATUS'> = {
  name: 'STATUS',
  states: LOGGED_IN,
  async run(session, { mailbox, items }) {
    const found = await findMailbox(session, mailbox)
    if ('refused' in found) return found.refused
    if (found.row.noSelect) return no('NONEXISTENT', 'That name holds other mailboxes only')
    const refused = lacking(found.row, 'r')
    if (refused !== undefined) return refused
    session.out.line(await statusLine(session, found, items))
    return done('Done')
  },
}

/** The untagged STATUS response; asking for HIGHESTMODSEQ enables CONDSTORE (RFC 7162 §3.1). */
export async function statusLine(
  session: ImapSession,
  found: Found,
  items: readonly StatusItem[],
): Promise<string> {
  const { row } = found
  if (items.includes('HIGHESTMODSEQ')) session.useCondStore()
  const deletedBytes = items.includes('DELETED-STORAGE') ? await deletedIn(session, found) : 0
  const recent = items.includes('RECENT') ? await recentIn(session, found) : 0
  const values: Record<StatusItem, () => string> = {
    MESSAGES: () => String(row.messages),
    RECENT: () => String(recent),
    UIDNEXT: () => String(row.uidNext),
    UIDVALIDITY: () => String(row.uidValidity),
    UNSEEN: () => String(row.unseen),
    DELETED: () => String(row.deleted),
    'DELETED-STORAGE': () => String(deletedBytes),
    SIZE: () => String(row.sizeBytes), // RFC 8438 §3
    HIGHESTMODSEQ: () => String(row.highestModSeq),
    MAILBOXID: () => `(${row.id})`,
    APPENDLIMIT: () => String(session.room.limits.messageBytesMax), // RFC 7889 §3
  }
  const shown = items.map((item) => `${item} ${values[item]()}`).join(' ')
  return `* STATUS ${shownName(session, row.path)} (${shown})`
}

/** Of whoever selects it next (RFC 3501 §6.3.10). */
async function recentIn(session: ImapSession, { accountId, row }: Found): Promise<number> {
  const come = session.rev2 ? undefined : session.room.recent.look(row)
  if (come === undefined) return 0
  const by = accountId === session.accountId ? {} : { by: session.accountId }
  const ask = { accountId, ...by, mailboxId: row.id, from: come.from as Uid }
  return (await session.room.store.countFrom(ask)).messages
}

/** What EXPUNGE would give back, in octets (RFC 9208 §4.1.4). */
async function deletedIn(session: ImapSession, { row, accountId }: Found): Promise<number> {
  if (row.deleted === 0) return 0
  const ask = { accountId, by: session.accountId, mailboxId: row.id }
  return (await session.room.store.deletedBytes(ask)).bytes
}
