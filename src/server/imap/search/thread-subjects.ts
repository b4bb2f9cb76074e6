import { sortedInSteps } from '#base/sorted.ts'
import { eachInTurns } from './in-turns.ts'
import type { InTurns } from './in-turns.ts'
import type { SortFacts } from './sort-facts.ts'
import type { ThreadNode } from './thread-text.ts'

/** ORDEREDSUBJECT: messages of one base subject, all below the first that was sent (RFC 5256 §3). */
export function* orderedSubject(facts: readonly SortFacts[]): InTurns<ThreadNode[]> {
  const bySubject = new Map<string, { first: SortFacts; children: ThreadNode[] }>()
  yield* eachInTurns(yield* sortedInSteps(facts, bySent), (each) => {
    const thread = bySubject.get(each.subject)
    if (thread === undefined) bySubject.set(each.subject, { first: each, children: [] })
    else thread.children.push({ row: each.row, children: [] })
  })
  // They stand in the order of their first ones already.
  const threads: ThreadNode[] = []
  yield* eachInTurns(bySubject.values(), ({ first, children }) => {
    threads.push({ row: first.row, children })
  })
  return threads
}

const bySent = (a: SortFacts, b: SortFacts): number => a.sentMs - b.sentMs || a.row - b.row
