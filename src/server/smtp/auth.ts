import { fromLatin1, toLatin1 } from '#base/octets.ts'
import { saslMechanism, startSasl } from '#codec/sasl/mechanism.ts'
import type { SaslStep } from '#codec/sasl/mechanism.ts'
import type { Reply } from '#model/reply.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'
import type { SmtpCommand } from './command.ts'
import { AUTH_LINE_BYTES_MAX } from './options.ts'
import { badOperands, badSequence, reply, whereToLogIn } from './replies.ts'
import type { SmtpSession } from './session.ts'

/** RFC 4954 §4. */
export const auth: SmtpCommand = {
  verb: 'AUTH',
  async run(session, rest) {
    const { options } = session
    if (options.door !== 'submission' || options.authenticator === undefined)
      return reply(502, '5.5.1', `no logins here; log in at ${whereToLogIn(options.texts())}`)
    if (session.greeted === undefined) return badSequence('say EHLO first')
    if (session.account !== undefined) return badSequence('you are logged in already')
    if (session.transaction !== undefined) return badSequence('a transaction is open')
    if (!session.mayLogIn)
      return reply(
        538,
        '5.7.11',
        `encryption required: say STARTTLS first, or use ${whereToLogIn(options.texts())}`,
      )
    if (session.loginFailures >= session.limits.loginFailuresMax) {
      session.end()
      return reply(421, '4.7.0', 'too many failed logins; closing')
    }
    const [name = '', initial, more] = rest.split(/ +/)
    if (name === '' || more !== undefined) return badOperands('AUTH mechanism [response] is wanted')
    const mechanism = saslMechanism(name)
    if (mechanism === undefined) return reply(504, '5.5.4', `${name} is not offered: PLAIN LOGIN`)
    const step = startSasl(mechanism, initial === undefined ? undefined : fromLatin1(initial))
    const end = await exchange(session, step)
    if (end === undefined || 'code' in end) return end
    return logIn(session, options.authenticator, end)
  },
}

type Credentials = SaslStep & { readonly kind: 'credentials' }

/** Asks until there are credentials; a Reply ends the exchange, undefined the connection. */
async function exchange(
  session: SmtpSession,
  first: SaslStep,
): Promise<Credentials | Reply | undefined> {
  let step = first
  while (step.kind === 'challenge') {
    session.say({ code: 334, text: toLatin1(step.octets) })
    const line = await session.line(AUTH_LINE_BYTES_MAX)
    if (line === undefined) return undefined
    if (line === 'tooLong') return reply(500, '5.5.6', 'authentication line is too long')
    step = step.next(line)
  }
  return step.kind === 'error' ? reply(501, '5.5.2', step.text) : step
}

async function logIn(
  session: SmtpSession,
  authenticator: Authenticator,
  { login, password, authzid }: Credentials,
): Promise<Reply> {
  const outcome = await authenticator.login({
    login,
    password,
    ip: session.peer.ip,
    protocol: 'smtp',
  })
  if (outcome.ok && authzid === undefined) {
    session.account = outcome.value
    session.log.info('smtp.login', { accountId: outcome.value.id })
    return reply(235, '2.7.0', 'logged in')
  }
  if (!outcome.ok && outcome.error !== 'refused')
    return reply(454, '4.7.0', 'logins are not possible just now; try again later')
  session.loginFailures++
  session.log.warn('smtp.loginRefused', { login })
  return reply(535, '5.7.8', 'login refused')
}
