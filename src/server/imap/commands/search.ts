import type { SearchReturn } from '#codec/imap/search-key.ts'
import { formatSet } from '#codec/imap/sequence-set.ts'
import { quote } from '#codec/imap/render.ts'
import { SELECTED } from '#server/imap/command.ts'
import type { ImapCommand, Named } from '#server/imap/command.ts'
import { bad, done, no } from '#server/imap/completion.ts'
import { matcher } from '#server/imap/search-match.ts'
import { matchingRows } from '#server/imap/search-rows.ts'
import { SEARCH_CHARSETS, textReader } from '#server/imap/search-text.ts'
import type { Selected } from '#server/imap/selected.ts'
import type { ImapSession } from '#server/imap/session.ts'

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
    const rows = await matchingRows(session, selected, { search })
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
