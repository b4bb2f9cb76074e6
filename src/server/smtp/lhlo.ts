import type { SmtpCommand } from './command.ts'
import { greetWithExtensions } from './ehlo.ts'
import { reply } from './replies.ts'

/** RFC 2033 §4.1: LMTP's EHLO. */
export const lhlo: SmtpCommand = {
  verb: 'LHLO',
  run: (session, rest) =>
    session.options.door === 'lmtp'
      ? greetWithExtensions(session, rest)
      : reply(500, '5.5.1', 'this is SMTP: say EHLO'),
}
