import type { SmtpCommand } from './command.ts'
import { badOperands, reply } from './replies.ts'

/** RFC 5321 §4.1.1.10. */
export const quit: SmtpCommand = {
  verb: 'QUIT',
  run(session, rest) {
    if (rest !== '') return badOperands('QUIT takes no operands')
    session.end()
    return reply(221, '2.0.0', 'goodbye')
  },
}
