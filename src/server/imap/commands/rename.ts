import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import { done, no, refusal } from '#server/imap/session/completion.ts'
import {
  badName,
  findMailbox,
  foreignName,
  newPathOf,
  ownerOf,
  shownName,
} from '#server/imap/mailbox/mailboxes.ts'

/** RFC 9051 §6.3.6; renaming INBOX moves its messages to the new name. */
export const rename: ImapCommand<'RENAME'> = {
  name: 'RENAME',
  states: LOGGED_IN,
  async run(session, { from, to }) {
    const path = newPathOf(session, to)
    if (path === undefined) return badName()
    const owned = ownerOf(session, path)
    if (owned === undefined) return foreignName()
    const found = await findMailbox(session, from)
    if ('refused' in found) return found.refused
    const { accountId } = found
    if (accountId !== owned.accountId) return no('CANNOT', 'A mailbox stays with its owner')
    const outcome = await commitOne(
      session,
      { kind: 'rename', mailboxId: found.row.id, from: found.ownPath, path: owned.path },
      accountId,
    )
    if (!outcome.ok) return refusal(outcome.error)
    // RFC 9051 §6.3.6
    if (session.rev2)
      session.out.line(
        `* LIST () "/" ${shownName(session, path)} ("OLDNAME" (${shownName(session, found.row.path)}))`,
      )
    return done('Renamed')
  },
}
