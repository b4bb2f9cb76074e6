import type { ImapCommand } from '#server/imap/session/command.ts'
import { bad, done } from '#server/imap/session/completion.ts'

/** RFC 9051 §6.2.1; the session takes TLS up after this answer. */
export const starttls: ImapCommand<'STARTTLS'> = {
  name: 'STARTTLS',
  states: ['greeted'],
  run(session) {
    if (session.secure) return Promise.resolve(bad('TLS is active already'))
    if (session.door.identity === undefined) return Promise.resolve(bad('TLS is not available'))
    return Promise.resolve(done('Begin TLS negotiation now'))
  },
}
