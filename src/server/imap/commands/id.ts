import { ANY } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'

/** RFC 2971 §3.1: who we are, without a version that would help an attacker. */
export const id: ImapCommand<'ID'> = {
  name: 'ID',
  states: ANY,
  run(session) {
    session.out.line('* ID ("name" "Watari")')
    return Promise.resolve(done('Done'))
  },
}
