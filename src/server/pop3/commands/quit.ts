import { BOTH, TRANSACTION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'

/** RFC 1939 §6: what was deleted goes now, in one commit. */
export const quit: Pop3Handler = {
  verb: 'QUIT',
  states: BOTH,
  async run(session) {
    session.ending = true
    try {
      const isWhole = session.maildrop === undefined || (await session.maildrop.update())
      if (isWhole) session.ok(session.words.bye)
      else session.error(session.words.notRemoved, 'SYS/TEMP')
    } finally {
      session.release() // before the answer goes out: who reads it may log in again at once
    }
  },
}

export const noop: Pop3Handler = {
  verb: 'NOOP',
  states: TRANSACTION,
  async run(session) {
    session.ok(session.words.done)
  },
}
