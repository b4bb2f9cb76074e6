import { parsePop3Number } from '#codec/pop3/command.ts'
import { DotStuffer, TopCutter } from '#codec/pop3/dot-stuffing.ts'
import { TRANSACTION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import type { Pop3Session } from '#server/pop3/session.ts'

/** RFC 1939 §5: the octets as they are stored. */
export const retr: Pop3Handler = {
  verb: 'RETR',
  states: TRANSACTION,
  async run(session, args) {
    await send(session, parsePop3Number(args[0]))
  },
}

/** RFC 1939 §7. */
export const top: Pop3Handler = {
  verb: 'TOP',
  states: TRANSACTION,
  async run(session, args) {
    const lines = parsePop3Number(args[1])
    if (lines === undefined) return session.error(session.words.expectedLines)
    await send(session, parsePop3Number(args[0]), new TopCutter(lines))
  },
}

async function send(
  session: Pop3Session,
  number: number | undefined,
  cutter?: TopCutter,
): Promise<void> {
  const { maildrop } = session
  if (number === undefined || maildrop?.has(number) !== true)
    return session.error(session.words.noSuchMessage)
  const stuffer = new DotStuffer()
  let begun = false
  try {
    for await (const octets of maildrop.read(number)) {
      if (!begun) session.ok(session.words.octets(maildrop.sizeOf(number)))
      begun = true
      const cut = cutter?.push(octets) ?? { octets, isEnd: false }
      await session.octets(stuffer.push(cut.octets))
      if (cut.isEnd) break
    }
  } catch (thrown) {
    if (begun) session.abort() // the client would take what follows for the message
    throw thrown
  }
  await session.octets(stuffer.end())
}
