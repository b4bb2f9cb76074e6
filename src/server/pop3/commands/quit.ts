import { BOTH, TRANSACTION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'

/** RFC 1939 §6: what was deleted goes now, in one commit. */
export const quit: Pop3Handler = {
  verb: 'QUIT',
  states: BOTH,
  async run(session) {
    session.ending = true
    const isWhole = session.maildrop === undefined || (await session.maildrop.update())
    session.release() // before the answer: a client that reads it may log in again at once
    if (isWhole) session.ok('Bye')
    else session.error('Some deleted messages were not removed', 'SYS/TEMP')
  },
}

export const noop: Pop3Handler = {
  verb: 'NOOP',
  states: TRANSACTION,
  async run(session) {
    session.ok('Done')
  },
}
