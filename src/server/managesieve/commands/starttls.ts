import { STRANGER } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done, no } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.2; the session takes TLS up after this answer. */
export const starttls: ManageSieveHandler<'STARTTLS'> = {
  verb: 'STARTTLS',
  states: STRANGER,
  run(session) {
    if (session.connection.secure) return no('TLS is active already')
    if (!session.tlsOffered) return no('TLS is not available')
    session.secureNext()
    return done('Begin TLS negotiation now')
  },
}
