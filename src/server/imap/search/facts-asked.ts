import type { ImapSession } from '#server/imap/session/session.ts'
import type { Named } from '#server/imap/session/command.ts'
import { bad, no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import { Progress } from '#server/imap/session/progress.ts'
import { matcher } from './search-match.ts'
import { matchingRows } from './search-rows.ts'
import { SEARCH_CHARSETS, textReader } from './search-text.ts'
import { sortFacts } from './sort-facts.ts'
import type { SortFacts } from './sort-facts.ts'

/** What SORT and THREAD ask alike (RFC 5256 §3): messages that match, with what they are put in order by. */
export interface AskedFacts {
  readonly selected: Selected
  readonly facts: readonly SortFacts[]
  readonly usesModSeq: boolean
  /** The number that the client is told of a row. */
  readonly numberOf: (row: number) => number
}

export async function factsAsked(
  session: ImapSession,
  command: Named<'SORT'> | Named<'THREAD'>,
  tag: string,
): Promise<AskedFacts | { readonly refused: Completion }> {
  const { selected } = session
  if (selected === undefined) return { refused: bad('No mailbox is selected') }
  const readText = textReader(command.charset)
  if (readText === undefined)
    return { refused: no(`BADCHARSET (${SEARCH_CHARSETS.join(' ')})`, 'Unknown charset') }
  const search = matcher(command.key, { selected, readText, nowMs: session.room.clock.nowMs() })
  if (search.usesModSeq) session.useCondStore() // RFC 7162 §3.1
  const progress = new Progress(session, tag)
  const rows = await matchingRows(session, selected, { search, progress })
  const { uids } = selected.view
  return {
    selected,
    facts: await sortFacts(session, selected, rows),
    usesModSeq: search.usesModSeq,
    numberOf: (row) => (command.uid ? uids[row]! : selected.seqOfRow(row)),
  }
}

/** One response in one line, made and sent by and by. */
export async function tellInPieces(
  { out }: ImapSession,
  pieces: Iterable<string>,
  end = '',
): Promise<void> {
  for (const piece of pieces) {
    out.put(piece)
    if (out.full) await out.flush()
  }
  out.line(end)
}
