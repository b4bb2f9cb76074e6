import type { Progress } from '#server/imap/session/progress.ts'
import { FactReader } from './search-facts.ts'
import type { Facts } from './search-facts.ts'
import { consult } from './search-index.ts'
import type { Matcher, Needs } from './search-match.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** Messages whose metas are asked for at once. */
const BATCH_ROWS = 200
/** Messages that are looked at before others get their turn. */
const ROWS_PER_TURN = 16_384
/** Messages whose octets are read side by side. */
const READS_MAX = 8

/** Rows of the selected mailbox that match, ascending. */
export async function matchingRows(
  session: ImapSession,
  selected: Selected,
  { search, progress }: { readonly search: Matcher; readonly progress: Progress },
): Promise<number[]> {
  const found: number[] = []
  const undecided: Facts[] = []
  for (let seq = 1; seq <= selected.exists; seq++) {
    if (seq % ROWS_PER_TURN === 0) await progress.step(0, selected.exists)
    const row = selected.rowOfSeq(seq)
    if (!selected.isAlive(row)) continue
    const facts: Facts = { row }
    const result = search.match(facts, nothing())
    if (result === true) found.push(row)
    else if (result === undefined) undecided.push(facts)
  }
  await consult(session, { selected, open: undecided, oracles: search.oracles })
  const reader = new FactReader(session, selected)
  let open: Facts[] = []
  const decidedAtOnce = selected.exists - undecided.length
  const settle = async (looked: number): Promise<void> => {
    while (open.length > 0) {
      const { rows, later } = await settled(open, search, reader)
      for (const row of rows) found.push(row)
      for (const facts of open) forget(facts)
      open = later
      await progress.step(decidedAtOnce + looked - later.length, selected.exists)
    }
  }
  for (const [index, facts] of undecided.entries()) {
    if (index % ROWS_PER_TURN === ROWS_PER_TURN - 1)
      await progress.step(decidedAtOnce + index, selected.exists)
    const result = search.match(facts, nothing())
    if (result === true) found.push(facts.row)
    else if (result === undefined && open.push(facts) >= BATCH_ROWS) await settle(index + 1)
  }
  if (open.length > 0) await settle(undecided.length)
  return found.toSorted((a, b) => a - b)
}

const nothing = (): Needs => ({ message: false, ids: false, fields: false, bodies: false })

/** What was read goes with its batch: the rows stay in the list of the whole search. */
function forget(facts: Facts): void {
  delete facts.message
  delete facts.fields
  delete facts.bodies
}

/** Reads what the open ones lack, cheapest first, until each is decided; `later` are too much for now. */
async function settled(
  batch: readonly Facts[],
  search: Matcher,
  reader: FactReader,
): Promise<{ readonly rows: readonly number[]; readonly later: Facts[] }> {
  const found: number[] = []
  let open = batch
  let later: Facts[] = []
  const sift = (want: keyof Needs): Facts[] => {
    const rest: Facts[] = []
    const wanting: Facts[] = []
    for (const facts of open) {
      const needs = nothing()
      const result = search.match(facts, needs)
      if (result === true) found.push(facts.row)
      if (result !== undefined) continue
      rest.push(facts)
      if (needs[want]) wanting.push(facts)
    }
    open = rest
    return wanting
  }
  const ids = sift('ids')
  if (ids.length > 0) await reader.ids(ids)
  const messages = sift('message')
  if (messages.length > 0) {
    later = messages.slice(await reader.messages(messages))
    const puttingOff = new Set(later)
    open = open.filter((facts) => !puttingOff.has(facts))
  }
  await sideBySide(sift('fields'), (facts) => reader.fields(facts))
  await sideBySide(sift('bodies'), (facts) => reader.bodies(facts, search.bodyTexts))
  sift('bodies') // those that are undecided still are gone meanwhile
  return { rows: found, later }
}

async function sideBySide(
  batch: readonly Facts[],
  read: (facts: Facts) => Promise<void>,
): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < batch.length) await read(batch[next++]!)
  }
  await Promise.all(Array.from({ length: Math.min(READS_MAX, batch.length) }, work))
}
