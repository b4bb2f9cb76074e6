import { AUTHORIZATION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'

/** RFC 2595 §4. */
export const stls: Pop3Handler = {
  verb: 'STLS',
  states: AUTHORIZATION,
  async run(session) {
    if (session.secure) return session.error(session.words.tlsActive)
    if (!session.tlsOffered) return session.error(session.words.tlsUnavailable)
    session.ok(session.words.beginTls)
    session.secureNext()
  },
}
