import { fromLatin1, toLatin1 } from '#base/octets.ts'
import { saslMechanism, startSasl } from '#codec/sasl/mechanism.ts'
import type { ImapCommand } from '#server/imap/command.ts'
import { loginAllowed } from '#server/imap/capabilities.ts'
import { bad, no } from '#server/imap/completion.ts'
import { logIn, plaintextRefused } from './login.ts'

/** RFC 9051 §6.2.2; an initial response as RFC 4959 §3 has it. */
export const authenticate: ImapCommand<'AUTHENTICATE'> = {
  name: 'AUTHENTICATE',
  states: ['greeted'],
  async run(session, command) {
    const mechanism = saslMechanism(command.mechanism)
    if (mechanism === undefined) return no('CANNOT', 'Unknown mechanism')
    if (!loginAllowed(session)) return plaintextRefused()
    let step = startSasl(
      mechanism,
      command.initial === undefined ? undefined : fromLatin1(command.initial),
    )
    while (step.kind === 'challenge') {
      session.out.line(`+ ${toLatin1(step.octets)}`)
      await session.out.flush()
      const response = await session.continuation(
        SASL_LINE_BYTES_MAX,
        session.room.limits.transferTimeoutMs,
      )
      if (response === undefined) return bad('No response')
      step = step.next(response)
    }
    if (step.kind === 'error') return bad(step.text)
    if (step.authzid !== undefined) return no('AUTHORIZATIONFAILED', 'Log in as yourself')
    return logIn(session, step.login, step.password)
  },
}

/** 1,000 octets of password, a login name, and base64 around them. */
const SASL_LINE_BYTES_MAX = 8 * 1024
