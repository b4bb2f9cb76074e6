import type { SortFacts } from './sort-facts.ts'
import type { ThreadNode } from './thread-text.ts'

/** ORDEREDSUBJECT: messages of one base subject, all below the first that was sent (RFC 5256 §3). */
export function orderedSubject(facts: readonly SortFacts[]): ThreadNode[] {
  const bySubject = Map.groupBy(facts.toSorted(bySent), ({ subject }) => subject)
  const threads = Array.from(bySubject.values(), ([first, ...rest]) => ({ first: first!, rest }))
  return threads
    .toSorted((a, b) => bySent(a.first, b.first))
    .map(({ first, rest }) => ({
      row: first.row,
      children: rest.map(({ row }) => ({ row, children: [] })),
    }))
}

const bySent = (a: SortFacts, b: SortFacts): number => a.sentMs - b.sentMs || a.row - b.row
