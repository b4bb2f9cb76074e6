import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'

/** RFC 2342 §5: one's own mailboxes have no prefix. */
export const namespace: ImapCommand<'NAMESPACE'> = {
  name: 'NAMESPACE',
  states: LOGGED_IN,
  run(session) {
    session.out.line('* NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))')
    return Promise.resolve(done('Done'))
  },
}
