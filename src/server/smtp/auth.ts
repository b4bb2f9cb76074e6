import { fromLatin1, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { saslMechanism, startSasl } from '#codec/sasl/mechanism.ts'
import type { SaslStep } from '#codec/sasl/mechanism.ts'
import { scramMechanism } from '#codec/sasl/scram.ts'
import type { ScramMechanism } from '#codec/sasl/scram.ts'
import type { Reply } from '#model/reply.ts'
import type { Authenticator, LoginFault } from '#store/directory/authenticator.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import { exchangeScram } from '#store/directory/scram-exchange.ts'
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
    if (!session.mechanisms.includes(name.toUpperCase()))
      return reply(504, '5.5.4', `${name} is not offered: ${session.mechanisms.join(' ')}`)
    const response = initial === undefined ? undefined : fromLatin1(initial)
    const scram = scramMechanism(name)
    const { authenticator } = options
    if (scram !== undefined) return byScram(session, authenticator, { name: scram, response })
    const end = await exchange(session, startSasl(saslMechanism(name)!, response))
    if (end === undefined || 'code' in end) return end
    return logIn(session, authenticator, end)
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
    const line = await ask(session, step.octets)
    if (line === undefined || 'code' in line) return line
    step = step.next(line)
  }
  return step.kind === 'error' ? reply(501, '5.5.2', step.text) : step
}

async function ask(session: SmtpSession, challenge: Octets): Promise<Octets | Reply | undefined> {
  session.say({ code: 334, text: toLatin1(challenge) })
  const line = await session.line(AUTH_LINE_BYTES_MAX)
  return line === 'tooLong' ? reply(500, '5.5.6', 'authentication line is too long') : line
}

async function byScram(
  session: SmtpSession,
  { scram }: Authenticator,
  { name, response }: { readonly name: ScramMechanism; readonly response: Octets | undefined },
): Promise<Reply | undefined> {
  if (scram === undefined) return reply(504, '5.5.4', `${name} is not offered`)
  let unheard: Reply | undefined
  const end = await exchangeScram(
    scram,
    {
      mechanism: name,
      channel: session.channel,
      initial: response,
      ip: session.peer.ip,
      protocol: 'smtp',
    },
    async (challenge) => {
      const line = await ask(session, challenge)
      if (line === undefined || !('code' in line)) return line
      unheard = line
      return undefined
    },
  )
  switch (end.kind) {
    case 'loggedIn':
      return enter(session, end.account)
    case 'fault':
      return notLoggedIn(session, end.fault, end.login)
    case 'otherUser':
      return notLoggedIn(session, 'refused')
    case 'malformed':
      return reply(501, '5.5.2', end.text)
    case 'gone':
      return unheard
  }
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
  if (outcome.ok && authzid === undefined) return enter(session, outcome.value)
  return notLoggedIn(session, outcome.ok ? 'refused' : outcome.error, login)
}

function enter(session: SmtpSession, account: Entrant): Reply {
  session.account = account
  session.log.info('smtp.login', { accountId: account.id })
  return reply(235, '2.7.0', 'logged in')
}

function notLoggedIn(session: SmtpSession, fault: LoginFault, login?: string): Reply {
  if (fault !== 'refused')
    return reply(454, '4.7.0', 'logins are not possible just now; try again later')
  session.loginFailures++
  session.log.warn('smtp.loginRefused', login === undefined ? {} : { login })
  return reply(535, '5.7.8', 'login refused')
}
