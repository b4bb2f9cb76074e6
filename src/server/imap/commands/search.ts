import type { SearchReturn } from '#codec/imap/search-key.ts'
import { formatSet } from '#codec/imap/sequence-set.ts'
import { quote } from '#codec/imap/render.ts'
import { SELECTED } from '#server/imap/command.ts'
import type { ImapCommand, Named } from '#server/imap/command.ts'
import { bad, done, no } from '#server/imap/completion.ts'
import { FactReader } from '#server/imap/search-facts.ts'
import type { Facts } from '#server/imap/search-facts.ts'
import { consult } from '#server/imap/search-index.ts'
import { matcher } from '#server/imap/search-match.ts'
import type { Matcher, Needs } from '#server/imap/search-match.ts'
import { SEARCH_CHARSETS, textReader } from '#server/imap/search-text.ts'
import type { Selected } from '#server/imap/selected.ts'
import type { ImapSession } from '#server/imap/session.ts'

/** Messages whose metas are asked for at once. */
const BATCH_ROWS = 200
/** Messages that are looked at before others get their turn. */
const ROWS_PER_TURN = 16_384
/** Messages whose octets are read side by side. */
const READS_MAX = 8

/** RFC 9051 §6.4.4; results as RFC 4731 §3.1 has them. */
export const search: ImapCommand<'SEARCH'> = {
  name: 'SEARCH',
  states: SELECTED,
  async run(session, command, tag) {
    const { selected } = session
    if (selected === undefined) return bad('No mailbox is selected')
    const readText = textReader(command.charset)
    if (readText === undefined)
      return no(`BADCHARSET (${SEARCH_CHARSETS.join(' ')})`, 'Unknown charset')
    const search = matcher(command.key, { selected, readText, nowMs: session.room.clock.nowMs() })
    if (search.usesModSeq) session.condStore = true // RFC 7162 §3.1
    const rows = await matchingRows(session, selected, search)
    const { uids } = selected.view
    const numbers = rows.map((row) => (command.uid ? uids[row]! : selected.seqOfRow(row)))
    const found = { rows, numbers, usesModSeq: search.usesModSeq }
    if (command.results === undefined) await tellSearch(session, selected, found)
    else session.out.line(esearchLine(command, selected, { ...found, tag }))
    return done('Searched')
  },
}

interface Found {
  readonly rows: readonly number[]
  readonly numbers: readonly number[]
  readonly usesModSeq: boolean
}

async function matchingRows(
  session: ImapSession,
  selected: Selected,
  search: Matcher,
): Promise<number[]> {
  const found: number[] = []
  const undecided: Facts[] = []
  for (let seq = 1; seq <= selected.exists; seq++) {
    if (seq % ROWS_PER_TURN === 0) await session.stillThere()
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
  const settle = async (): Promise<void> => {
    for (const row of await settled(open, search, reader)) found.push(row)
    open = []
    await session.stillThere()
  }
  for (const [index, facts] of undecided.entries()) {
    if (index % ROWS_PER_TURN === ROWS_PER_TURN - 1) await session.stillThere()
    const result = search.match(facts, nothing())
    if (result === true) found.push(facts.row)
    else if (result === undefined && open.push(facts) >= BATCH_ROWS) await settle()
  }
  if (open.length > 0) await settle()
  return found.toSorted((a, b) => a - b)
}

const nothing = (): Needs => ({ message: false, ids: false, fields: false, bodies: false })

/** Reads what the open ones lack, cheapest first, until each is decided. */
async function settled(
  batch: readonly Facts[],
  search: Matcher,
  reader: FactReader,
): Promise<number[]> {
  const found: number[] = []
  let open = batch
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
  if (messages.length > 0) await reader.messages(messages)
  await sideBySide(sift('fields'), (facts) => reader.fields(facts))
  await sideBySide(sift('bodies'), (facts) => reader.bodies(facts, search.bodyTexts))
  sift('bodies') // those that are undecided still are gone meanwhile
  return found
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

const highestOf = (selected: Selected, rows: readonly number[]): number => {
  let highest = 0
  for (const row of rows) highest = Math.max(highest, selected.view.modSeqs[row]!)
  return highest
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

function esearchLine(
  command: Named<'SEARCH'>,
  selected: Selected,
  { rows, numbers, usesModSeq, tag }: Found & { readonly tag: string },
): string {
  const asked: readonly SearchReturn[] =
    command.results === undefined || command.results.length === 0 ? ['all'] : command.results
  const parts = [`* ESEARCH (TAG ${quote(tag)})`]
  if (command.uid) parts.push('UID')
  const wants = (option: SearchReturn): boolean => asked.includes(option)
  if (numbers.length > 0) {
    if (wants('min')) parts.push(`MIN ${numbers[0]!}`)
    if (wants('max')) parts.push(`MAX ${numbers.at(-1)!}`)
    if (wants('all')) parts.push(`ALL ${formatSet(numbers)}`)
  }
  if (wants('count')) parts.push(`COUNT ${numbers.length}`)
  if (usesModSeq && rows.length > 0) {
    // RFC 7162 §3.1.10: of what is told only.
    const told =
      wants('all') || wants('count')
        ? rows
        : [...(wants('min') ? [rows[0]!] : []), ...(wants('max') ? [rows.at(-1)!] : [])]
    parts.push(`MODSEQ ${highestOf(selected, told)}`)
  }
  return parts.join(' ')
}
