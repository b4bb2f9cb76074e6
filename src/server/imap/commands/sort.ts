import type { SortBy, SortCriterion } from '#codec/imap/sort.ts'
import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { bad, done, no } from '#server/imap/session/completion.ts'
import { Progress } from '#server/imap/session/progress.ts'
import { matcher } from '#server/imap/search/search-match.ts'
import { matchingRows } from '#server/imap/search/search-rows.ts'
import { SEARCH_CHARSETS, textReader } from '#server/imap/search/search-text.ts'
import { sortedInTurns, toItsEnd } from '#server/imap/search/in-turns.ts'
import { sortFacts } from '#server/imap/search/sort-facts.ts'
import type { SortFacts } from '#server/imap/search/sort-facts.ts'

/** RFC 5256 §3. */
export const sort: ImapCommand<'SORT'> = {
  name: 'SORT',
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
    const sorted = await toItsEnd(sortedInTurns(facts, comparing(command.criteria)), () =>
      session.connection.stillThere(),
    )
    const { out } = session
    out.put('* SORT')
    for (const { row } of sorted) {
      out.put(` ${command.uid ? selected.view.uids[row]! : selected.seqOfRow(row)}`)
      if (out.full) await out.flush()
    }
    out.line('')
    return done('Sorted')
  },
}

const VALUES: Readonly<Record<SortBy, (facts: SortFacts) => number | string>> = {
  arrival: ({ arrivalMs }) => arrivalMs,
  cc: ({ cc }) => cc,
  date: ({ sentMs }) => sentMs,
  displayFrom: ({ displayFrom }) => displayFrom,
  displayTo: ({ displayTo }) => displayTo,
  from: ({ from }) => from,
  size: ({ size }) => size,
  subject: ({ subject }) => subject,
  to: ({ to }) => to,
}

/** By each criterion in turn, then by sequence number. */
function comparing(criteria: readonly SortCriterion[]): (a: SortFacts, b: SortFacts) => number {
  const steps = criteria.map(({ by, reverse }) => ({ valueOf: VALUES[by], sign: reverse ? -1 : 1 }))
  return (a, b) => {
    for (const { valueOf, sign } of steps) {
      const [one, other] = [valueOf(a), valueOf(b)]
      if (one < other) return -sign
      if (one > other) return sign
    }
    return a.row - b.row
  }
}
