import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done, no } from '#server/imap/session/completion.ts'

/** RFC 8437 §2: for programs that serve many users over one connection. */
export const unauthenticate: ImapCommand<'UNAUTHENTICATE'> = {
  name: 'UNAUTHENTICATE',
  states: LOGGED_IN,
  run(session) {
    // What one user's mail looks like must not show in how well another's is compressed.
    if (session.connection.isCompressed)
      return Promise.resolve(no('CANNOT', 'Not while compressed'))
    session.logOut()
    return Promise.resolve(done('Log in again'))
  },
}
