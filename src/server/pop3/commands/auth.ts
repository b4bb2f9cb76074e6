import { fromLatin1 } from '#base/octets.ts'
import { AUTHORIZATION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import { exchangeSasl, isSaslMechanism } from '#store/directory/sasl-exchange.ts'
import { enter, notLoggedIn, plaintextRefused } from './user.ts'

/** RFC 5034 §4. */
export const auth: Pop3Handler = {
  verb: 'AUTH',
  states: AUTHORIZATION,
  async run(session, args) {
    const [mechanism = '', initial] = args
    if (!isSaslMechanism(mechanism)) return session.error(session.words.unknownMechanism)
    if (!session.loginAllowed) return plaintextRefused(session)
    const end = await exchangeSasl(
      session.options.authenticator,
      {
        mechanism,
        channel: session.channel,
        initial: initial === undefined ? undefined : fromLatin1(initial),
        ip: session.ip,
        protocol: 'pop3',
      },
      (challenge) => session.challenge(challenge),
    )
    switch (end.kind) {
      case 'loggedIn':
        return enter(session, end.account)
      case 'fault':
        return notLoggedIn(session, end.fault)
      case 'unknownMechanism':
        return session.error(session.words.unknownMechanism)
      case 'notOffered':
        return session.error(session.words.mechanismNotOffered)
      case 'otherUser':
        return session.error(session.words.otherUser, 'AUTH')
      case 'malformed':
        return session.error(session.words.malformed(end.text))
      case 'gone':
        return session.error(session.words.noResponse)
    }
  },
}
