import { parseMail } from '#codec/smtp/mail-command.ts'
import type { MailOperands } from '#codec/smtp/mail-command.ts'
import type { MailCommand } from '#model/reception.ts'
import { needsSmtpUtf8 } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Reply } from '#model/reply.ts'
import type { SmtpCommand } from './command.ts'
import { badOperands, badSequence, operandReply, reply, tooLarge, whereToLogIn } from './replies.ts'
import type { SmtpSession } from './session.ts'

/** RFC 5321 §4.1.1.2: opens a transaction. */
export const mail: SmtpCommand = {
  verb: 'MAIL',
  async run(session, rest) {
    if (session.greeted === undefined)
      return badSequence(session.options.door === 'lmtp' ? 'say LHLO first' : 'say EHLO first')
    if (session.transaction !== undefined) return badSequence('a transaction is open already')
    const barred = session.barred() ?? session.options.reception.unready()
    if (barred !== undefined) return barred
    const operands = parseMail(rest)
    if (!operands.ok) return operandReply(operands.error, '5.1.7')
    const command = mailCommand(session, operands.value)
    if ('code' in command) return command
    const opened = await session.options.reception.mail(command)
    if (!opened.ok) return opened.error
    session.begin(opened.value, command)
    return reply(250, '2.1.0', 'sender ok')
  },
}

/** Who may not send here: the relay's strangers, and submission without a login. */
export function barredReply(session: SmtpSession): Reply | undefined {
  const { options } = session
  const allowed = options.allow?.(session.peer.ip) ?? true
  if (typeof allowed !== 'boolean') return allowed
  if (!allowed) {
    return options.door === 'lmtp'
      ? reply(554, '5.7.1', `${session.peer.ip} may not deliver here`)
      : reply(
          554,
          '5.7.1',
          `${session.peer.ip} may not relay here; log in and send by ${whereToLogIn(options.texts())}`,
        )
  }
  const { account } = session
  if (account !== undefined && options.authenticator?.mayStay?.(account) === false)
    return reply(550, '5.7.1', 'this login may not be used any longer')
  if (options.door === 'submission' && account === undefined) {
    // RFC 4954 §6; the text names where, since half of the world's set-ups are wrong there.
    return reply(
      530,
      '5.7.0',
      `authentication required: log in at ${whereToLogIn(options.texts())}`,
    )
  }
  return undefined
}

function mailCommand(session: SmtpSession, operands: MailOperands): MailCommand | Reply {
  const { options, limits } = session
  const { sizeBytes, ret, envid, xwatari } = operands
  if (sizeBytes !== undefined && sizeBytes > limits.messageBytesMax)
    return tooLarge(limits.messageBytesMax) // RFC 1870 §6.1
  if (operands.body === 'binarymime' && options.door !== 'lmtp')
    return reply(555, '5.5.4', 'BINARYMIME is not offered here')
  const reversePath: Address | null =
    operands.reversePath === 'postmaster'
      ? { localpart: 'postmaster', domain: session.postmasterDomain }
      : operands.reversePath
  if (reversePath !== null && !operands.smtpUtf8 && needsSmtpUtf8(reversePath))
    return reply(550, '5.6.7', 'this address needs SMTPUTF8') // RFC 6531 §3.5
  let handed: MailCommand['handed']
  if (xwatari !== undefined) {
    if (!session.takesHanded) return reply(555, '5.5.4', 'unknown parameter XWATARI')
    handed = options.parseHanded?.(xwatari)
    if (handed === undefined) return badOperands('malformed XWATARI')
  }
  return {
    door: options.door,
    peer: session.peer,
    ...(session.account === undefined ? {} : { account: session.account }),
    reversePath,
    body: operands.body ?? '7bit',
    smtpUtf8: operands.smtpUtf8,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid }),
    ...(handed === undefined ? {} : { handed }),
  }
}
