import type { SmtpCommand } from './command.ts'
import { reply, whereToLogIn } from './replies.ts'

/** RFC 5321 §4.1.1.8. */
export const help: SmtpCommand = {
  verb: 'HELP',
  run: ({ options }) =>
    reply(
      214,
      '2.0.0',
      options.door === 'lmtp'
        ? 'LMTP, RFC 2033'
        : `SMTP, RFC 5321; to send mail log in at ${whereToLogIn(options.texts())}`,
    ),
}
