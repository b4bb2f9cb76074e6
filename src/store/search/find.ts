import type { Clock } from '#base/time.ts'
import { emptyBits, fullBits, hasBit, intersect, numbersOf, setBit } from './bits.ts'
import type { Bits } from './bits.ts'
import type { SegmentEntry } from './account-index.ts'
import { evaluate } from './evaluate.ts'
import type { Evaluation } from './evaluate.ts'
import type { SearchQuery } from './query.ts'
import type { IndexGap, SearchFound } from './search-index.ts'

/** How long one call works before it answers with what it has: callers wait 4 s at most. */
const CALL_MS = 1_500

export interface FindAsk {
  readonly entries: readonly SegmentEntry[]
  readonly gap: IndexGap
  readonly query: SearchQuery
  readonly within?: Uint32Array
  readonly after?: number
  readonly clock: Clock
  readonly pause: () => Promise<void>
}

/** Numbers found so far, in a growing array. */
class Numbers {
  #numbers = new Uint32Array(1_024)
  #length = 0

  push(number: number): void {
    if (this.#length === this.#numbers.length) {
      const grown = new Uint32Array(this.#length * 2)
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    this.#numbers[this.#length++] = number
  }

  done(): Uint32Array {
    return this.#numbers.slice(0, this.#length)
  }
}

/** Narrows down by postings, then looks into the texts of what is left. Throws Fault `corrupt`, `io`. */
export async function findIn(ask: FindAsk): Promise<SearchFound> {
  const { entries, gap, query, after = -1, clock, pause } = ask
  const untilMs = clock.monotonicMs() + CALL_MS
  const found = new Numbers()
  const unsure = new Numbers()
  let next: number | undefined
  // What lies behind a gap is searched once the gap is filled.
  for (const entry of entries.filter(({ to }) => to <= gap.from)) {
    if (entry.to <= after + 1) continue
    const { segment } = entry
    const wanted = wantedBits(segment.index.emails, { within: ask.within, after })
    if (wanted === undefined) continue
    const evaluation = evaluate(segment, wellFormed(query))
    intersect(evaluation.maybe, wanted)
    next = await sift({ entry, evaluation, found, unsure }, { untilMs, clock, pause })
    if (next !== undefined) break
  }
  return {
    found: found.done(),
    unsure: unsure.done(),
    upTo: gap.from,
    ...(next === undefined ? {} : { next }),
  }
}

/** Half a character is none that a text holds. */
function wellFormed(query: SearchQuery): SearchQuery {
  if ('term' in query) return { ...query, term: query.term.toWellFormed() }
  return query.kind === 'not'
    ? { ...query, query: wellFormed(query.query) }
    : { ...query, queries: query.queries.map(wellFormed) }
}

/** Documents that are asked for; undefined where there is none. */
function wantedBits(
  emails: Uint32Array,
  { within, after }: { readonly within: Uint32Array | undefined; readonly after: number },
): Bits | undefined {
  if (within === undefined && (emails[0] ?? 0) > after) return fullBits(emails.length)
  const bits = emptyBits(emails.length)
  let isEmpty = true
  let at = 0
  for (let document = 0; document < emails.length; document++) {
    const email = emails[document]!
    if (email <= after) continue
    if (within !== undefined) {
      while (at < within.length && within[at]! < email) at++
      if (at === within.length) break
      if (within[at] !== email) continue
    }
    setBit(bits, document)
    isEmpty = false
  }
  return isEmpty ? undefined : bits
}

interface Sifting {
  readonly entry: SegmentEntry
  readonly evaluation: Evaluation
  readonly found: Numbers
  readonly unsure: Numbers
}

/** Returns the last email that was decided where the time was up. */
async function sift(
  { entry: { segment }, evaluation, found, unsure }: Sifting,
  turn: { readonly untilMs: number; readonly clock: Clock; readonly pause: () => Promise<void> },
): Promise<number | undefined> {
  const { emails } = segment.index
  let block: {
    readonly number: number
    readonly first: number
    readonly documents: readonly Buffer[]
  } = { number: -1, first: 0, documents: [] }
  for (const document of numbersOf(evaluation.maybe)) {
    const email = emails[document]!
    if (hasBit(evaluation.sure, document)) {
      found.push(email)
      continue
    }
    const number = segment.blockOf(document)
    if (number !== block.number) {
      await turn.pause()
      // One block at least, or it would never end.
      if (block.number >= 0 && turn.clock.monotonicMs() > turn.untilMs) return email - 1
      block = { number, ...segment.documentsOf(number) }
    }
    const result = evaluation.decide(document, block.documents[document - block.first]!)
    if (result === true) found.push(email)
    else if (result === undefined) unsure.push(email)
  }
  return undefined
}
