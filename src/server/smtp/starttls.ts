import type { SmtpCommand } from './command.ts'
import { badOperands, badSequence, reply } from './replies.ts'

/** RFC 3207 §4. What was known before the handshake is forgotten after it. */
export const starttls: SmtpCommand = {
  verb: 'STARTTLS',
  async run(session, rest) {
    if (rest !== '') return badOperands('STARTTLS takes no operands')
    if (session.secured) return badSequence('TLS is active already')
    if (!session.mayStartTls) return reply(502, '5.5.1', 'STARTTLS is not offered here')
    if (session.transaction !== undefined) return badSequence('a transaction is open')
    if (session.pipelined) {
      // Plaintext behind STARTTLS was put there by somebody in between: it must not live on inside TLS.
      session.end()
      return reply(554, '5.5.0', 'nothing may follow STARTTLS before the handshake; closing')
    }
    session.say(reply(220, '2.0.0', 'ready to start TLS'))
    await session.secure()
    return undefined
  },
}
