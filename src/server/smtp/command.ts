import type { Reply } from '#model/reply.ts'
import type { SmtpSession } from './session.ts'

/** One command: answers by its return value, or has written its replies itself. */
export interface SmtpCommand {
  readonly verb: string
  run(session: SmtpSession, rest: string): Promise<Reply | undefined> | Reply | undefined
}
