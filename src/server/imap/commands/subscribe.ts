import { LOGGED_IN } from '#server/imap/command.ts'
import type { ImapCommand } from '#server/imap/command.ts'
import { commitOne } from '#server/imap/commit.ts'
import { done, refusal } from '#server/imap/completion.ts'
import type { Completion } from '#server/imap/completion.ts'
import { badName, findMailbox, pathOf } from '#server/imap/mailboxes.ts'
import type { ImapSession } from '#server/imap/session.ts'

/** RFC 9051 §6.3.7. */
export const subscribe: ImapCommand<'SUBSCRIBE'> = {
  name: 'SUBSCRIBE',
  states: LOGGED_IN,
  async run(session, { mailbox }) {
    const found = await findMailbox(session, mailbox)
    return 'refused' in found ? found.refused : set(session, mailbox, true)
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
  const outcome = await commitOne(session, { kind: 'subscribe', path, on })
  return outcome.ok ? done('Done') : refusal(outcome.error)
}
