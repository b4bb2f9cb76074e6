import type { SmtpCommand } from './command.ts'
import { badOperands, reply } from './replies.ts'

/** RFC 5321 §4.1.1.5. */
export const rset: SmtpCommand = {
  verb: 'RSET',
  async run(session, rest) {
    if (rest !== '') return badOperands('RSET takes no operands')
    await session.reset()
    return reply(250, '2.0.0', 'ok')
  },
}
