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
    if (maildrop === undefined) return
    if (args.length > 0) return one(session, args, async (number) => maildrop.sizeOf(number))
    session.ok(session.words.messages(maildrop.total().count))
    for (const number of maildrop.numbers()) {
      session.put(`${number} ${maildrop.sizeOf(number)}\r\n`)
      if (session.full) await session.flush()
    }
    session.put('.\r\n')
  },
}

/** RFC 1939 §7. */
export const uidl: Pop3Handler = {
  verb: 'UIDL',
  states: TRANSACTION,
  async run(session, args) {
    const { maildrop } = session
    if (maildrop === undefined) return
    if (args.length > 0) return one(session, args, (number) => maildrop.uidlOf(number))
    await uidls(session, maildrop)
  },
}

/** All ids, some at a time: a client that does not read them holds up what is asked of the store. */
async function uidls(session: Pop3Session, maildrop: Maildrop): Promise<void> {
  let begun = false
  const begin = (): void => {
    if (!begun) session.ok(session.words.messages(maildrop.total().count))
    begun = true
  }
  try {
    for await (const { first, uidls: some } of maildrop.uidls()) {
      begin()
      for (const [index, id] of some.entries())
        if (maildrop.has(first + index)) session.put(`${first + index} ${id}\r\n`)
      if (session.full) await session.flush()
    }
  } catch (thrown) {
    if (begun) session.abort() // half a listing would look like a maildrop that has lost the rest
    throw thrown
  }
  begin()
  session.put('.\r\n')
}

/** The line of one message. */
async function one(
  session: Pop3Session,
  args: readonly string[],
  text: (number: number) => Promise<string | number>,
): Promise<void> {
  const number = parsePop3Number(args[0])
  if (number === undefined || session.maildrop?.has(number) !== true)
    return session.error(session.words.noSuchMessage)
  session.ok(`${number} ${await text(number)}`)
}
