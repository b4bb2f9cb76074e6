import { factsAsked, tellInPieces } from '#server/imap/search/facts-asked.ts'
import { toItsEnd } from '#server/imap/search/in-turns.ts'
import { references } from '#server/imap/search/thread-references.ts'
import { orderedSubject } from '#server/imap/search/thread-subjects.ts'
import { threadText } from '#server/imap/search/thread-text.ts'
import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'

/** RFC 5256 §3. */
export const thread: ImapCommand<'THREAD'> = {
  name: 'THREAD',
  states: SELECTED,
  async run(session, command, tag) {
    const asked = await factsAsked(session, command, tag)
    if ('refused' in asked) return asked.refused
    const work = command.algorithm === 'REFERENCES' ? references : orderedSubject
    const threads = await toItsEnd(work(asked.facts), () => session.connection.stillThere())
    session.out.put(threads.length === 0 ? '* THREAD' : '* THREAD ')
    await tellInPieces(session, threadText(threads, asked.numberOf))
    return done('Threaded')
  },
}
