import type { SmtpCommand } from './command.ts'
import { badOperands, reply } from './replies.ts'

/** RFC 5321 §3.5.3: nobody learns here who exists. */
export const vrfy: SmtpCommand = {
  verb: 'VRFY',
  run: (_session, rest) =>
    rest === ''
      ? badOperands('an address is wanted')
      : reply(252, '2.5.0', 'addresses are not verified here; send the mail and see'),
}

export const expn: SmtpCommand = {
  verb: 'EXPN',
  run: () => reply(502, '5.7.0', 'lists are not shown here'),
}
