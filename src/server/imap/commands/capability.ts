import { capabilities } from '#server/imap/session/capabilities.ts'
import { ANY } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'

export const capability: ImapCommand<'CAPABILITY'> = {
  name: 'CAPABILITY',
  states: ANY,
  run(session) {
    session.out.line(`* CAPABILITY ${capabilities(session)}`)
    return Promise.resolve(done('Done'))
  },
}
