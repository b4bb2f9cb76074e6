import { parsePop3Number } from '#codec/pop3/command.ts'
import { TRANSACTION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import type { Maildrop } from '#server/pop3/maildrop.ts'
import type { Pop3Session } from '#server/pop3/session.ts'

/** RFC 1939 §5. */
export const stat: Pop3Handler = {
  verb: 'STAT',
  states: TRANSACTION,
  async run(session) {
    const { count, sizeBytes } = session.maildrop?.total() ?? { count: 0, sizeBytes: 0 }
    session.ok(`${count} ${sizeBytes}`)
  },
}

/** RFC 1939 §5: sizes of what is stored, dots and a missing last CRLF apart. */
export const list: Pop3Handler = {
  verb: 'LIST',
  states: TRANSACTION,
  async run(session, args) {
    const { maildrop } = session
    if (maildrop !== undefined)
      await tell(session, args, { maildrop, text: (number) => String(maildrop.sizeOf(number)) })
  },
}

/** RFC 1939 §7. */
export const uidl: Pop3Handler = {
  verb: 'UIDL',
  states: TRANSACTION,
  async run(session, args) {
    const { maildrop } = session
    if (maildrop === undefined) return
    const uidls = await maildrop.uidls()
    await tell(session, args, { maildrop, text: (number) => uidls[number - 1]! })
  },
}

/** One line of a message, or the listing of all. */
async function tell(
  session: Pop3Session,
  args: readonly string[],
  listing: { readonly maildrop: Maildrop; readonly text: (number: number) => string },
): Promise<void> {
  const { maildrop, text } = listing
  if (args.length > 0) {
    const number = parsePop3Number(args[0])
    if (number === undefined || !maildrop.has(number)) return session.error('No such message')
    return session.ok(`${number} ${text(number)}`)
  }
  session.ok(`${maildrop.total().count} messages`)
  for (const number of maildrop.numbers()) {
    session.put(`${number} ${text(number)}\r\n`)
    if (session.full) await session.flush()
  }
  session.put('.\r\n')
}
