import { parseRcpt } from '#codec/smtp/mail-command.ts'
import { needsSmtpUtf8 } from '#model/address.ts'
import type { SmtpCommand } from './command.ts'
import { badSequence, operandReply, reply } from './replies.ts'

/** RFC 5321 §4.1.1.3: one more recipient. */
export const rcpt: SmtpCommand = {
  verb: 'RCPT',
  async run(session, rest) {
    const { transaction } = session
    if (transaction === undefined) return badSequence('say MAIL first')
    if (transaction.chunks !== undefined) return badSequence('the message has begun')
    const operands = parseRcpt(rest)
    if (!operands.ok) return operandReply(operands.error, '5.1.3')
    const { address: given, ...notices } = operands.value
    const address =
      given === 'postmaster' ? { localpart: 'postmaster', domain: session.postmasterDomain } : given
    if (!transaction.command.smtpUtf8 && needsSmtpUtf8(address))
      return reply(553, '5.6.7', 'this address needs SMTPUTF8') // RFC 6531 §3.5
    if (transaction.recipients >= session.limits.recipientsMax)
      return reply(452, '4.5.3', 'too many recipients; send to the rest in another transaction')
    const refusal = await transaction.reception.rcpt({ address, ...notices })
    if (refusal !== undefined) {
      session.countRefusal()
      return refusal
    }
    transaction.recipients++
    return reply(250, '2.1.5', 'recipient ok')
  },
}
