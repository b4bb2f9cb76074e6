import { isHeloName } from '#codec/smtp/command-line.ts'
import type { SmtpCommand } from './command.ts'
import { badOperands, reply } from './replies.ts'

/** RFC 5321 §4.1.1.1: the old greeting, without extensions. */
export const helo: SmtpCommand = {
  verb: 'HELO',
  async run(session, rest) {
    if (session.options.door === 'lmtp') return reply(500, '5.5.1', 'this is LMTP: say LHLO')
    if (!isHeloName(rest)) return badOperands('your host name is wanted')
    await session.reset()
    session.greeted = { verb: 'HELO', name: rest }
    return { code: 250, text: session.options.hostname }
  },
}
