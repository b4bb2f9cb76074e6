import { parsePop3Number } from '#codec/pop3/command.ts'
import { TRANSACTION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'

/** RFC 1939 §5: removed when QUIT comes. */
export const dele: Pop3Handler = {
  verb: 'DELE',
  states: TRANSACTION,
  async run(session, args) {
    const number = parsePop3Number(args[0])
    if (number === undefined || session.maildrop?.has(number) !== true)
      return session.error(session.words.noSuchMessage)
    session.maildrop.deleted.add(number)
    session.ok(session.words.deleted)
  },
}

/** RFC 1939 §5. */
export const rset: Pop3Handler = {
  verb: 'RSET',
  states: TRANSACTION,
  async run(session) {
    session.maildrop?.deleted.clear()
    session.ok(session.words.nothingDeleted)
  },
}
