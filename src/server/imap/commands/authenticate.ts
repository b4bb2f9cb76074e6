import { fromLatin1, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { loginAllowed } from '#server/imap/session/capabilities.ts'
import { bad, no } from '#server/imap/session/completion.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import { exchangeSasl, isSaslMechanism } from '#store/directory/sasl-exchange.ts'
import { enter, notLoggedIn, plaintextRefused } from './login.ts'

/** RFC 9051 §6.2.2; an initial response as RFC 4959 §3 has it. */
export const authenticate: ImapCommand<'AUTHENTICATE'> = {
  name: 'AUTHENTICATE',
  states: ['greeted'],
  async run(session, { mechanism, initial }) {
    if (!isSaslMechanism(mechanism)) return no('CANNOT', 'Unknown mechanism')
    if (!loginAllowed(session)) return plaintextRefused()
    const end = await exchangeSasl(
      session.room.authenticator,
      {
        mechanism,
        channel: session.connection.channel,
        initial: initial === undefined ? undefined : fromLatin1(initial),
        ip: session.ip,
        protocol: 'imap',
      },
      (challenge) => ask(session, challenge),
    )
    switch (end.kind) {
      case 'loggedIn':
        return enter(session, end.account)
      case 'fault':
        return notLoggedIn(session, end.fault)
      case 'unknownMechanism':
        return no('CANNOT', 'Unknown mechanism')
      case 'notOffered':
        return no('CANNOT', 'This mechanism is not offered')
      case 'otherUser':
        return no('AUTHORIZATIONFAILED', 'Log in as yourself')
      case 'malformed':
        return bad(end.text)
      case 'gone':
        return bad('No response')
    }
  },
}

async function ask(session: ImapSession, challenge: Octets): Promise<Octets | undefined> {
  session.out.line(`+ ${toLatin1(challenge)}`)
  await session.out.flush()
  return session.continuation(SASL_LINE_BYTES_MAX, session.room.limits.transferTimeoutMs)
}

/** 1,000 octets of password, a login name, and base64 around them. */
const SASL_LINE_BYTES_MAX = 8 * 1024
