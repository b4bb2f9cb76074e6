import { capabilities } from '#server/imap/capabilities.ts'
import { ANY } from '#server/imap/command.ts'
import type { ImapCommand } from '#server/imap/command.ts'
import { done } from '#server/imap/completion.ts'

export const capability: ImapCommand<'CAPABILITY'> = {
  name: 'CAPABILITY',
  states: ANY,
  run(session) {
    session.out.line(`* CAPABILITY ${capabilities(session)}`)
    return Promise.resolve(done('Done'))
  },
}
