import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import { done, refusal } from '#server/imap/session/completion.ts'
import { findMailbox, lacking } from '#server/imap/mailbox/mailboxes.ts'

/** RFC 9051 §6.3.5. */
export const deleteMailbox: ImapCommand<'DELETE'> = {
  name: 'DELETE',
  states: LOGGED_IN,
  async run(session, { mailbox }) {
    const found = await findMailbox(session, mailbox)
    if ('refused' in found) return found.refused
    const { row, accountId } = found
    const refused = lacking(row, 'x')
    if (refused !== undefined) return refused
    if (session.selectedId === row.id) session.deselect()
    const outcome = await commitOne(session, { kind: 'delete', mailboxId: row.id }, accountId)
    return outcome.ok ? done('Deleted') : refusal(outcome.error)
  },
}
