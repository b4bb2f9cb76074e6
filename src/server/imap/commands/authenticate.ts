import { fromLatin1, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { saslMechanism, startSasl } from '#codec/sasl/mechanism.ts'
import { scramMechanism } from '#codec/sasl/scram.ts'
import type { ScramMechanism } from '#codec/sasl/scram.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { loginAllowed } from '#server/imap/session/capabilities.ts'
import { bad, no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import { exchangeScram, scramOffered } from '#store/directory/scram-exchange.ts'
import { enter, logIn, notLoggedIn, plaintextRefused } from './login.ts'

/** RFC 9051 §6.2.2; an initial response as RFC 4959 §3 has it. */
export const authenticate: ImapCommand<'AUTHENTICATE'> = {
  name: 'AUTHENTICATE',
  states: ['greeted'],
  async run(session, command) {
    const initial = command.initial === undefined ? undefined : fromLatin1(command.initial)
    const scram = scramMechanism(command.mechanism)
    const mechanism = saslMechanism(command.mechanism)
    if (scram === undefined && mechanism === undefined) return no('CANNOT', 'Unknown mechanism')
    if (!loginAllowed(session)) return plaintextRefused()
    if (mechanism === undefined) return byScram(session, scram!, initial)
    let step = startSasl(mechanism, initial)
    while (step.kind === 'challenge') {
      const response = await ask(session, step.octets)
      if (response === undefined) return bad('No response')
      step = step.next(response)
    }
    if (step.kind === 'error') return bad(step.text)
    if (step.authzid !== undefined) return otherUser()
    return logIn(session, step.login, step.password)
  },
}

async function byScram(
  session: ImapSession,
  mechanism: ScramMechanism,
  initial: Octets | undefined,
): Promise<Completion> {
  const { channel, ip } = session.connection
  const { scram } = session.room.authenticator
  if (scram === undefined || !scramOffered({ scram }, channel).includes(mechanism))
    return no('CANNOT', 'This mechanism is not offered')
  const end = await exchangeScram(
    scram,
    { mechanism, channel, initial, ip, protocol: 'imap' },
    (challenge) => ask(session, challenge),
  )
  switch (end.kind) {
    case 'loggedIn':
      return enter(session, end.account)
    case 'fault':
      return notLoggedIn(session, end.fault)
    case 'otherUser':
      return otherUser()
    case 'malformed':
      return bad(end.text)
    case 'gone':
      return bad('No response')
  }
}

async function ask(session: ImapSession, challenge: Octets): Promise<Octets | undefined> {
  session.out.line(`+ ${toLatin1(challenge)}`)
  await session.out.flush()
  return session.continuation(SASL_LINE_BYTES_MAX, session.room.limits.transferTimeoutMs)
}

const otherUser = (): Completion => no('AUTHORIZATIONFAILED', 'Log in as yourself')

/** 1,000 octets of password, a login name, and base64 around them. */
const SASL_LINE_BYTES_MAX = 8 * 1024
