import { LOGGED_IN } from '#server/imap/command.ts'
import type { ImapCommand } from '#server/imap/command.ts'
import { done } from '#server/imap/completion.ts'

/** RFC 5161 §3.1: unknown capabilities are passed over. */
export const enable: ImapCommand<'ENABLE'> = {
  name: 'ENABLE',
  states: LOGGED_IN,
  run(session, command) {
    const enabled: string[] = []
    if (command.capabilities.includes('CONDSTORE')) {
      session.condStore = true
      enabled.push('CONDSTORE')
    }
    session.out.line(['* ENABLED', ...enabled].join(' '))
    return Promise.resolve(done('Done'))
  },
}
