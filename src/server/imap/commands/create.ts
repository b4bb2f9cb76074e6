import { encodeMailboxName, fromPath } from '#codec/imap/mailbox-name.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import { done, no, refusal } from '#server/imap/session/completion.ts'
import {
  badName,
  foreignName,
  listLineOf,
  newPathOf,
  ownerOf,
} from '#server/imap/mailbox/mailboxes.ts'

/** RFC 9051 §6.3.4; a special use as RFC 6154 §3 has it. */
export const create: ImapCommand<'CREATE'> = {
  name: 'CREATE',
  states: LOGGED_IN,
  async run(session, { mailbox, use }) {
    const path = newPathOf(session, mailbox)
    if (path === undefined) return badName()
    const owned = ownerOf(session, path)
    if (owned === undefined) return foreignName()
    const isForeign = owned.accountId !== session.accountId
    // RFC 6154 §3: uses that are not offered are refused by NO, as those that are taken.
    if (use === 'other' || (use !== undefined && isForeign))
      return no('USEATTR', 'That special use is not offered')
    const outcome = await commitOne(
      session,
      { kind: 'create', path: owned.path, ...(use === undefined ? {} : { use }) },
      owned.accountId,
    )
    // Whether there is somebody of that name, or a mailbox that may not be looked up, is not told.
    if (!outcome.ok && isForeign && ['noMailbox', 'noPermission'].includes(outcome.error.code))
      return foreignName()
    if (!outcome.ok)
      return use !== undefined && outcome.error.code === 'conflict'
        ? no('USEATTR', outcome.error.text) // RFC 6154 §3
        : refusal(outcome.error)
    // RFC 9051 §6.3.4: a name that became another one is told.
    if (session.rev2 && encodeMailboxName(fromPath(path), session.nameForm) !== mailbox)
      session.out.line(listLineOf(session, path, mailbox))
    const made = outcome.value
    return done('Created', made.kind === 'mailbox' ? `MAILBOXID (${made.mailbox.id})` : undefined)
  },
}
