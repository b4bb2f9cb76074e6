import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import { done, refusal } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { badName, findMailbox, noMailbox, pathOf } from '#server/imap/mailbox/mailboxes.ts'
import { may } from '#server/imap/view/rights.ts'
import { keptName } from '#server/imap/mailbox/subscriptions.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

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
