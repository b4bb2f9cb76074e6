import type { SmtpCommand } from './command.ts'
import { reply } from './replies.ts'

/** RFC 5321 §4.1.1.9. */
export const noop: SmtpCommand = {
  verb: 'NOOP',
  run: () => reply(250, '2.0.0', 'ok'),
}
