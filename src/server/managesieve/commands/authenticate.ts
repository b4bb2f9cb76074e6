import type { Octets } from '#base/octets.ts'
import type { ManageSieveResponse } from '#codec/managesieve/response.ts'
import { renderString } from '#codec/managesieve/words.ts'
import { STRANGER } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done, no } from '#server/managesieve/responses.ts'
import type { ManageSieveSession } from '#server/managesieve/session.ts'
import type { LoginFault } from '#store/directory/authenticator.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import { exchangeSasl, isSaslMechanism } from '#store/directory/sasl-exchange.ts'

/** Mechanisms that others speak, and that site policy forbids here: nobody should any more. */
const RETIRED: readonly string[] = ['ANONYMOUS', 'CRAM-MD5', 'DIGEST-MD5', 'SCRAM-SHA-1']

/** RFC 5804 §2.1. */
export const authenticate: ManageSieveHandler<'AUTHENTICATE'> = {
  verb: 'AUTHENTICATE',
  states: STRANGER,
  async run(session, { mechanism, initial }) {
    if (!isSaslMechanism(mechanism))
      return RETIRED.includes(mechanism.toUpperCase())
        ? no('This mechanism is too weak', 'AUTH-TOO-WEAK')
        : no('Unknown mechanism')
    if (!session.loginAllowed)
      return no('Passwords are taken inside TLS only; use STARTTLS', 'ENCRYPT-NEEDED')
    const { connection, ip, options } = session
    const end = await exchangeSasl(
      options.authenticator,
      {
        mechanism,
        channel: connection.channel,
        initial,
        ip,
        protocol: 'managesieve',
        lastWords: 'beside',
      },
      (challenge) => ask(session, challenge),
    )
    switch (end.kind) {
      case 'loggedIn':
        return enter(session, end.account, end.final)
      case 'fault':
        return notLoggedIn(session, end.fault)
      case 'unknownMechanism':
        return no('Unknown mechanism')
      case 'notOffered':
        // Not of this account alone: that would tell who exists.
        return no(
          'This mechanism is not offered before all have keys; use PLAIN',
          'TRANSITION-NEEDED',
        )
      case 'otherUser':
        return no('Log in as yourself')
      case 'malformed':
        return no(end.text)
      case 'gone':
        return no('No response')
    }
  },
}

function ask(session: ManageSieveSession, challenge: Octets): Promise<Octets | undefined> {
  session.put(renderString(challenge, 'server'))
  session.put('\r\n')
  return session.string()
}

function enter(
  session: ManageSieveSession,
  account: Entrant,
  final: Octets | undefined,
): ManageSieveResponse {
  const { ip, connection, options } = session
  session.logIn(account)
  options.log.info('managesieve.login', { accountId: account.id, ip, tls: connection.secure })
  return final === undefined ? done('Logged in') : done('Logged in', 'SASL', final)
}

function notLoggedIn(session: ManageSieveSession, fault: LoginFault): ManageSieveResponse {
  if (fault === 'slowed') return no('Too many attempts; try again later', 'TRYLATER')
  if (fault === 'unavailable')
    return no('Logins cannot be checked for now; try again later', 'TRYLATER')
  session.loginFailed()
  return no('Wrong user name or password')
}
