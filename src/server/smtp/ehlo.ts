import { isHeloName } from '#codec/smtp/command-line.ts'
import type { Reply } from '#model/reply.ts'
import type { SmtpCommand } from './command.ts'
import { badOperands, reply } from './replies.ts'
import type { SmtpSession } from './session.ts'

/** RFC 5321 §4.1.1.1; not of LMTP. */
export const ehlo: SmtpCommand = {
  verb: 'EHLO',
  run: (session, rest) =>
    session.options.door === 'lmtp'
      ? reply(500, '5.5.1', 'this is LMTP: say LHLO') // RFC 2033 §4.1
      : greetWithExtensions(session, rest),
}

/** The reply to EHLO and LHLO: who we are and what we can do. Begins anew, as RSET does. */
export async function greetWithExtensions(session: SmtpSession, name: string): Promise<Reply> {
  if (!isHeloName(name)) return badOperands('your host name is wanted')
  await session.reset()
  const { options, limits } = session
  session.greeted = { verb: options.door === 'lmtp' ? 'LHLO' : 'EHLO', name }
  const lines = [
    options.hostname,
    'PIPELINING', // RFC 2920 §3
    `SIZE ${limits.messageBytesMax}`, // RFC 1870 §4
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES', // RFC 2034 §3
    'DSN', // RFC 3461 §4
    'CHUNKING', // RFC 3030 §2
  ]
  if (options.door === 'lmtp') lines.push('BINARYMIME') // RFC 3030 §3
  if (session.mayStartTls) lines.push('STARTTLS')
  if (session.mayLogIn) lines.push(['AUTH', ...session.mechanisms].join(' '))
  if (session.takesHanded) lines.push('XWATARI')
  return { code: 250, text: lines }
}
