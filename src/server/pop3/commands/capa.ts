import { BOTH } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import { scramOffered } from '#store/directory/scram-exchange.ts'

/** RFC 2449 §5. */
export const capa: Pop3Handler = {
  verb: 'CAPA',
  states: BOTH,
  async run(session) {
    const offered = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING']
    if (session.loginAllowed) {
      const scram = scramOffered(session.options.authenticator, session.channel)
      offered.push('USER', ['SASL PLAIN LOGIN', ...scram].join(' '))
    }
    if (session.tlsOffered) offered.push('STLS')
    session.ok('Capabilities')
    for (const capability of [...offered, 'IMPLEMENTATION Watari', '.'])
      session.put(`${capability}\r\n`)
  },
}
