import { BOTH } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import type { Pop3Session } from '#server/pop3/session.ts'
import { scramOffered } from '#store/directory/scram-exchange.ts'

/** RFC 2449 §5. */
export const capa: Pop3Handler = {
  verb: 'CAPA',
  states: BOTH,
  async run(session) {
    const offered = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING']
    offered.push(expire(session), 'UTF8 USER', 'LANG')
    if (session.loginAllowed) {
      const scram = scramOffered(session.options.authenticator, session.channel)
      offered.push('USER', ['SASL PLAIN LOGIN', ...scram].join(' '))
    }
    if (session.tlsOffered) offered.push('STLS')
    session.ok(session.words.capabilities)
    for (const capability of [...offered, 'IMPLEMENTATION Watari', '.'])
      session.put(`${capability}\r\n`)
  },
}

/** RFC 2449 §6.7: before the login the least that anybody can have chosen for a mailbox, a day. */
function expire({ maildrop }: Pop3Session): string {
  return maildrop === undefined ? 'EXPIRE 1 USER' : `EXPIRE ${maildrop.retainDays ?? 'NEVER'}`
}
