import { ANY, SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'

/** RFC 9051 §6.1.2: asks storage itself, so that what another process committed is seen. */
export const noop: ImapCommand<'NOOP'> = {
  name: 'NOOP',
  states: ANY,
  async run(session) {
    await session.selected?.view.refresh()
    return done('Done')
  },
}

/** RFC 3501 §6.4.1: all is durable before it is answered, so this is NOOP. */
export const check: ImapCommand<'CHECK'> = {
  name: 'CHECK',
  states: SELECTED,
  async run(session) {
    await session.selected?.view.refresh()
    return done('Done')
  },
}
