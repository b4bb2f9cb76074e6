import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { bad, done, no } from '#server/imap/session/completion.ts'
import { Progress } from '#server/imap/session/progress.ts'
import { matcher } from '#server/imap/search/search-match.ts'
import { matchingRows } from '#server/imap/search/search-rows.ts'
import { SEARCH_CHARSETS, textReader } from '#server/imap/search/search-text.ts'
import { toItsEnd } from '#server/imap/search/in-turns.ts'
import { sortFacts } from '#server/imap/search/sort-facts.ts'
import { orderedSubject } from '#server/imap/search/thread-subjects.ts'
import { references } from '#server/imap/search/thread-references.ts'
import { threadText } from '#server/imap/search/thread-text.ts'

/** RFC 5256 §3. */
export const thread: ImapCommand<'THREAD'> = {
  name: 'THREAD',
  states: SELECTED,
  async run(session, command, tag) {
    const { selected } = session
    if (selected === undefined) return bad('No mailbox is selected')
    const readText = textReader(command.charset)
    if (readText === undefined)
      return no(`BADCHARSET (${SEARCH_CHARSETS.join(' ')})`, 'Unknown charset')
    const search = matcher(command.key, { selected, readText, nowMs: session.room.clock.nowMs() })
    if (search.usesModSeq) session.useCondStore() // RFC 7162 §3.1
    const rows = await matchingRows(session, selected, {
      search,
      progress: new Progress(session, tag),
    })
    const facts = await sortFacts(session, selected, rows)
    const work = command.algorithm === 'REFERENCES' ? references : orderedSubject
    const threads = await toItsEnd(work(facts), () => session.connection.stillThere())
    const numberOf = (row: number): number =>
      command.uid ? selected.view.uids[row]! : selected.seqOfRow(row)
    const { out } = session
    out.put(threads.length === 0 ? '* THREAD' : '* THREAD ')
    for (const text of threadText(threads, numberOf)) {
      out.put(text)
      if (out.full) await out.flush()
    }
    out.line('')
    return done('Threaded')
  },
}
