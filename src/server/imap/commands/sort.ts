import { sortedInSteps } from '#base/sorted.ts'
import type { SortBy, SortCriterion } from '#codec/imap/sort.ts'
import { esearchLine, highestOf, savedOf } from '#server/imap/search/esearch.ts'
import { factsAsked, tellInPieces } from '#server/imap/search/facts-asked.ts'
import { toItsEnd } from '#server/imap/search/in-turns.ts'
import type { SortFacts } from '#server/imap/search/sort-facts.ts'
import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'

/** RFC 5256 §3; results as RFC 5267 §3 has them. */
export const sort: ImapCommand<'SORT'> = {
  name: 'SORT',
  states: SELECTED,
  async run(session, command, tag) {
    const asked = await factsAsked(session, command, tag)
    if ('refused' in asked) return asked.refused
    const { facts, selected, numberOf, usesModSeq } = asked
    const sorting = sortedInSteps(facts, comparing(command.criteria))
    const sorted = await toItsEnd(sorting, () => session.connection.stillThere())
    const rows = sorted.map(({ row }) => row)
    const saved = savedOf(command, rows)
    if (saved !== undefined) selected.save(saved.toSorted((a, b) => a - b))
    if (command.results === undefined) {
      // RFC 7162 §3.1.6
      const end = usesModSeq && rows.length > 0 ? ` (MODSEQ ${highestOf(selected, rows)})` : ''
      session.out.put('* SORT')
      await tellInPieces(session, numbersIn(rows, numberOf), end)
    } else {
      const found = { rows, numbers: rows.map(numberOf), usesModSeq, tag }
      const line = esearchLine(command, selected, found)
      if (line !== undefined) session.out.line(line)
    }
    return done('Sorted')
  },
}

function* numbersIn(rows: readonly number[], numberOf: (row: number) => number): Generator<string> {
  for (const row of rows) yield ` ${numberOf(row)}`
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
