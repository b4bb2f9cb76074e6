import { fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { saslMechanism, startSasl } from '#codec/sasl/mechanism.ts'
import { scramMechanism } from '#codec/sasl/scram.ts'
import type { ScramMechanism } from '#codec/sasl/scram.ts'
import { AUTHORIZATION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import type { Pop3Session } from '#server/pop3/session.ts'
import { exchangeScram, scramOffered } from '#store/directory/scram-exchange.ts'
import { enter, logIn, notLoggedIn, plaintextRefused } from './user.ts'

/** RFC 5034 §4. */
export const auth: Pop3Handler = {
  verb: 'AUTH',
  states: AUTHORIZATION,
  async run(session, args) {
    const initial = args[1] === undefined ? undefined : fromLatin1(args[1])
    const scram = scramMechanism(args[0] ?? '')
    const mechanism = saslMechanism(args[0] ?? '')
    if (scram === undefined && mechanism === undefined)
      return session.error(session.words.unknownMechanism)
    if (!session.loginAllowed) return plaintextRefused(session)
    if (mechanism === undefined) return byScram(session, scram!, initial)
    let step = startSasl(mechanism, initial)
    while (step.kind === 'challenge') {
      const response = await session.challenge(step.octets)
      if (response === undefined) return session.error(session.words.noResponse)
      step = step.next(response)
    }
    if (step.kind === 'error') return session.error(session.words.malformed(step.text))
    if (step.authzid !== undefined) return otherUser(session)
    await logIn(session, step.login, step.password)
  },
}

async function byScram(
  session: Pop3Session,
  mechanism: ScramMechanism,
  initial: Octets | undefined,
): Promise<void> {
  const { channel, ip } = session
  const { scram } = session.options.authenticator
  if (scram === undefined || !scramOffered({ scram }, channel).includes(mechanism))
    return session.error(session.words.mechanismNotOffered)
  const end = await exchangeScram(
    scram,
    { mechanism, channel, initial, ip, protocol: 'pop3' },
    (challenge) => session.challenge(challenge),
  )
  switch (end.kind) {
    case 'loggedIn':
      return enter(session, end.account)
    case 'fault':
      return notLoggedIn(session, end.fault)
    case 'otherUser':
      return otherUser(session)
    case 'malformed':
      return session.error(session.words.malformed(end.text))
    case 'gone':
      return session.error(session.words.noResponse)
  }
}

const otherUser = (session: Pop3Session): void => session.error(session.words.otherUser, 'AUTH')
