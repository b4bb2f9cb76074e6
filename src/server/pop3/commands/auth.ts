import { fromLatin1 } from '#base/octets.ts'
import { saslMechanism, startSasl } from '#codec/sasl/mechanism.ts'
import { AUTHORIZATION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import { logIn, plaintextRefused } from './user.ts'

/** RFC 5034 §4. */
export const auth: Pop3Handler = {
  verb: 'AUTH',
  states: AUTHORIZATION,
  async run(session, args) {
    const mechanism = saslMechanism(args[0] ?? '')
    if (mechanism === undefined) return session.error('Unknown mechanism')
    if (!session.loginAllowed) return plaintextRefused(session)
    let step = startSasl(mechanism, args[1] === undefined ? undefined : fromLatin1(args[1]))
    while (step.kind === 'challenge') {
      const response = await session.challenge(step.octets)
      if (response === undefined) return session.error('No response')
      step = step.next(response)
    }
    if (step.kind === 'error') return session.error(step.text)
    if (step.authzid !== undefined) return session.error('Log in as yourself', 'AUTH')
    await logIn(session, step.login, step.password)
  },
}
