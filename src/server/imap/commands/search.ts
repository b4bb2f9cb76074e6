import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand, Named } from '#server/imap/session/command.ts'
import { bad, done, no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { esearchLine, highestOf, savedOf } from '#server/imap/search/esearch.ts'
import type { Found } from '#server/imap/search/esearch.ts'
import { Progress } from '#server/imap/session/progress.ts'
import { matcher } from '#server/imap/search/search-match.ts'
import { matchingRows } from '#server/imap/search/search-rows.ts'
import { SEARCH_CHARSETS, textReader } from '#server/imap/search/search-text.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** RFC 9051 §6.4.4; results as RFC 4731 §3.1 has them. */
export const search: ImapCommand<'SEARCH'> = {
  name: 'SEARCH',
  states: SELECTED,
  async run(session, command, tag) {
    const { selected } = session
    if (selected === undefined) return bad('No mailbox is selected')
    try {
      return await searched(session, command, { selected, tag })
    } catch (thrown) {
      // RFC 5182 §2.1: what could not be searched saves nothing.
      if (command.results?.includes('save')) selected.save([])
      throw thrown
    }
  },
}

async function searched(
  session: ImapSession,
  command: Named<'SEARCH'>,
  { selected, tag }: { readonly selected: Selected; readonly tag: string },
): Promise<Completion> {
  // RFC 9755 §3: all is UTF-8 once that was enabled.
  if (session.utf8Accepted && command.charset !== undefined)
    return bad('No CHARSET after ENABLE UTF8=ACCEPT')
  const readText = textReader(command.charset)
  if (readText === undefined) {
    if (command.results?.includes('save')) selected.save([])
    return no(`BADCHARSET (${SEARCH_CHARSETS.join(' ')})`, 'Unknown charset')
  }
  const search = matcher(command.key, { selected, readText, nowMs: session.room.clock.nowMs() })
  if (search.usesModSeq) session.useCondStore() // RFC 7162 §3.1
  const progress = new Progress(session, tag)
  const rows = await matchingRows(session, selected, { search, progress })
  const { uids } = selected.view
  const numbers = rows.map((row) => (command.uid ? uids[row]! : selected.seqOfRow(row)))
  const found = { rows, numbers, usesModSeq: search.usesModSeq }
  const saved = savedOf(command, rows)
  if (saved !== undefined) selected.save(saved)
  // RFC 9051 §6.4.4: rev2 has no untagged SEARCH.
  if (command.results === undefined && !session.rev2) await tellSearch(session, selected, found)
  else {
    const line = esearchLine(command, selected, { ...found, tag })
    if (line !== undefined) session.out.line(line)
  }
  return done('Searched')
}

/** Numbers in one line, made and sent by and by. */
async function tellSearch(
  session: ImapSession,
  selected: Selected,
  { rows, numbers, usesModSeq }: Found,
): Promise<void> {
  const { out } = session
  out.put('* SEARCH')
  for (const number of numbers) {
    out.put(` ${number}`)
    if (out.full) await out.flush()
  }
  // RFC 7162 §3.1.5
  out.line(usesModSeq && rows.length > 0 ? ` (MODSEQ ${highestOf(selected, rows)})` : '')
}
