import { ANY } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'

/** RFC 9051 §6.1.3. */
export const logout: ImapCommand<'LOGOUT'> = {
  name: 'LOGOUT',
  states: ANY,
  run(session) {
    session.deselect()
    session.out.line('* BYE Logging out')
    session.ending = true
    return Promise.resolve(done('Logged out'))
  },
}
