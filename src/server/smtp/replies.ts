import { isFault } from '#base/outcome.ts'
import type { OperandFault } from '#codec/smtp/mail-command.ts'
import type { Reply } from '#model/reply.ts'
import type { SubmissionTexts } from './options.ts'

/** RFC 5321 §4.2.2 with the enhanced status codes of RFC 3463 §3. */
export const reply = (code: number, status: string, text: string): Reply => ({ code, status, text })

export const badSequence = (text: string): Reply => reply(503, '5.5.1', text)
export const badOperands = (text: string): Reply => reply(501, '5.5.4', text)
export const tooLarge = (sizeBytesMax: number): Reply =>
  reply(552, '5.3.4', `message is larger than the ${sizeBytesMax} octets allowed here`)

/** `badPathStatus`: 5.1.7 for senders, 5.1.3 for recipients. */
export function operandReply(fault: OperandFault, badPathStatus: '5.1.7' | '5.1.3'): Reply {
  if (fault.kind === 'path') return reply(501, badPathStatus, `bad address: ${fault.text}`)
  return reply(fault.kind === 'unknown' ? 555 : 501, '5.5.4', fault.text)
}

/** Our trouble is 4xx, and its cause stays in the log. */
export const troubleReply = (cause: unknown): Reply =>
  isFault(cause, 'full')
    ? reply(452, '4.3.1', 'not enough storage; try again later')
    : reply(451, '4.3.0', 'temporary trouble here; try again later')

/** `mail.campus.example port 587 (STARTTLS) or 465 (TLS)` */
export function whereToLogIn(texts: SubmissionTexts): string {
  const ports = texts.authPorts.map(
    ({ port, tls }) => `${port} (${tls === 'starttls' ? 'STARTTLS' : 'TLS'})`,
  )
  return ports.length === 0 ? texts.authHost : `${texts.authHost} port ${ports.join(' or ')}`
}
