import { LOGGED_IN } from '#server/imap/command.ts'
import type { ImapCommand } from '#server/imap/command.ts'
import { commitOne } from '#server/imap/commit.ts'
import { done, refusal } from '#server/imap/completion.ts'
import type { Completion } from '#server/imap/completion.ts'
import { badName, findMailbox, may, noMailbox, pathOf } from '#server/imap/mailboxes.ts'
import { keptName } from '#server/imap/subscriptions.ts'
import type { ImapSession } from '#server/imap/session.ts'

/** RFC 9051 §6.3.7. */
export const subscribe: ImapCommand<'SUBSCRIBE'> = {
  name: 'SUBSCRIBE',
  states: LOGGED_IN,
  async run(session, { mailbox }) {
    const found = await findMailbox(session, mailbox)
    if ('refused' in found) return found.refused
    return may(found.row, 'l') ? set(session, mailbox, true) : noMailbox()
  },
}

/** RFC 9051 §6.3.8: a name whose mailbox is gone can be unsubscribed. */
export const unsubscribe: ImapCommand<'UNSUBSCRIBE'> = {
  name: 'UNSUBSCRIBE',
  states: LOGGED_IN,
  run: (session, { mailbox }) => set(session, mailbox, false),
}

async function set(session: ImapSession, name: string, on: boolean): Promise<Completion> {
  const path = pathOf(session, name)
  if (path === undefined) return badName()
  const outcome = await commitOne(session, { kind: 'subscribe', path: keptName(session, path), on })
  return outcome.ok ? done('Done') : refusal(outcome.error)
}
