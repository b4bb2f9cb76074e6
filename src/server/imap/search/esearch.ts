import { quote } from '#codec/imap/render.ts'
import { partOf } from '#codec/imap/search-key.ts'
import type { SearchProgram, SearchReturn } from '#codec/imap/search-key.ts'
import { formatSet } from '#codec/imap/sequence-set.ts'
import type { Selected } from '#server/imap/view/selected.ts'

/** What a search found, in the order in which it is told. */
export interface Found {
  readonly rows: readonly number[]
  /** UIDs or sequence numbers of the rows. */
  readonly numbers: readonly number[]
  readonly usesModSeq: boolean
}

type Wanted = Pick<SearchProgram, 'results' | 'partial'> & { readonly uid: boolean }

/** RFC 4731 §3.1: nothing named stands for ALL. */
function wants({ results, partial }: Wanted): (option: SearchReturn) => boolean {
  const isNone = (results ?? []).length === 0 && partial === undefined
  return (option) => (isNone ? option === 'all' : results!.includes(option))
}

/** The untagged ESEARCH response; undefined where nothing but SAVE was asked for (RFC 5182 §2.1). */
export function esearchLine(
  command: Wanted,
  selected: Selected,
  { rows, numbers, usesModSeq, tag }: Found & { readonly tag: string },
): string | undefined {
  const { partial } = command
  const wanted = wants(command)
  if (command.results?.every((option) => option === 'save') && wanted('save') && !partial)
    return undefined
  const parts = [`* ESEARCH (TAG ${quote(tag)})`]
  if (command.uid) parts.push('UID')
  if (numbers.length > 0) {
    if (wanted('min')) parts.push(`MIN ${numbers[0]!}`)
    if (wanted('max')) parts.push(`MAX ${numbers.at(-1)!}`)
    if (wanted('all')) parts.push(`ALL ${formatSet(numbers)}`)
  }
  if (wanted('count')) parts.push(`COUNT ${numbers.length}`)
  if (partial !== undefined) {
    const part = partOf(numbers, partial)
    // RFC 9394 §3.1: NIL where nothing lies there.
    parts.push(`PARTIAL (${partial.label} ${part.length === 0 ? 'NIL' : formatSet(part)})`)
  }
  if (usesModSeq && rows.length > 0)
    parts.push(`MODSEQ ${highestOf(selected, told(command, rows))}`)
  return parts.join(' ')
}

/** RFC 5182 §2.1: SAVE keeps what is told, and all where COUNT or nothing else is. */
export function savedOf(command: Wanted, rows: readonly number[]): readonly number[] | undefined {
  return wants(command)('save') ? told(command, rows) : undefined
}

/** RFC 7162 §3.1.10, RFC 5182 §2.4, RFC 9394 §3.1: of MIN, MAX and PARTIAL those only. */
function told(command: Wanted, rows: readonly number[]): readonly number[] {
  const wanted = wants(command)
  const some = new Set<number>()
  if (rows.length > 0 && wanted('min')) some.add(rows[0]!)
  if (rows.length > 0 && wanted('max')) some.add(rows.at(-1)!)
  if (command.partial !== undefined) for (const row of partOf(rows, command.partial)) some.add(row)
  const isSome = wanted('min') || wanted('max') || command.partial !== undefined
  if (!isSome || wanted('all') || wanted('count')) return rows
  return [...some].toSorted((a, b) => a - b)
}

export const highestOf = (selected: Selected, rows: readonly number[]): number => {
  let highest = 0
  for (const row of rows) highest = Math.max(highest, selected.view.modSeqs[row]!)
  return highest
}
