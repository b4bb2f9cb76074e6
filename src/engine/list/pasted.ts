import { convert, withoutForwards } from '#engine/route/convert.ts'
import type { Account, AccountId } from '#model/account.ts'
import { parseAddress } from '#model/address.ts'
import type { MemberRef } from '#model/list-member.ts'
import type { Directory } from '#store/directory/directory.ts'
import { Called, CANDIDATES_MAX } from './called.ts'

/** What stands in pasted text for one member. */
export interface Pasted {
  /** From 1 on. */
  readonly line: number
  readonly text: string
  readonly meant: Meant
}

export type Meant =
  | { readonly kind: 'member'; readonly who: MemberRef }
  /** Several people are called so; `isPart`: it is no more than a part of somebody's name. */
  | {
      readonly kind: 'unclear'
      readonly candidates: readonly AccountId[]
      readonly isPart?: true
    }
  | { readonly kind: 'unknown'; readonly why: NotMeant }

/** Why nobody is meant. */
export type NotMeant = 'tooLong' | 'deleted' | 'nobody' | 'circle' | 'noAddress'

export const PASTED_MAX = 20_000
const TEXT_LENGTH_MAX = 1_000
/** Cells of one line of which two may be one name. */
const PAIRED_CELLS_MAX = 20

/**
 * Who is meant by pasted text: user names, addresses with and without a name, names and readings of people,
 * lists and groups, mixed, in lines or between commas and tabs, in letters of any width. Cells of one
 * line that mean the same person are one, and family and given name may stand in two; of a line between
 * tabs, what nobody is called is left out where another cell says who it is, as a column of a
 * spreadsheet is. A part of a name means nobody by itself: those who bear it are told.
 */
export async function readPasted(text: string, directory: Directory): Promise<readonly Pasted[]> {
  const lines = cellsOf(text)
  const called = new Called()
  for (const { cells } of lines) {
    for (const cell of cells) if (isName(cell, directory)) called.ask(cell)
    for (const [a, b] of pairsOf(cells, directory)) called.askBoth(a, b)
  }
  await called.look(directory)
  return lines.flatMap(({ line, cells, isRow }) => {
    const found = cells.map((cell) => ({
      line,
      text: cell,
      meant: meantBy(cell, directory, called),
    }))
    return merged(joined(found, directory, called), isRow)
  })
}

/** Whom one text names: a user name, an id, an address, or a name that one person alone bears. */
export async function whoIs(text: string, directory: Directory): Promise<Meant> {
  const cell = text.trim()
  const called = new Called()
  const known = meantBy(cell, directory, called)
  if (known.kind !== 'unknown' || !isName(cell, directory)) return known
  called.ask(cell)
  await called.look(directory)
  return meantBy(cell, directory, called)
}

interface Line {
  readonly line: number
  readonly cells: readonly string[]
  /** Between tabs, as a spreadsheet gives it: about one person. */
  readonly isRow: boolean
}

function cellsOf(text: string): readonly Line[] {
  const lines: Line[] = []
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n?|\n/)
    .entries()) {
    const isRow = raw.includes('\t')
    const cells = raw
      .split(isRow ? /\t/ : /[,;，；、]/)
      .map((cell) => cell.replaceAll(/^["\s]+|["\s]+$/g, ''))
      .filter((cell) => cell !== '')
    if (cells.length > 0) lines.push({ line: index + 1, cells, isRow })
  }
  return lines
}

/** Neither an address nor a user name. */
const isName = (cell: string, directory: Directory): boolean =>
  cell.length <= TEXT_LENGTH_MAX && !/[@＠]/.test(cell) && byUserName(cell, directory) === undefined

/** Neighbours that may be somebody's family and given name. */
function pairsOf(
  cells: readonly string[],
  directory: Directory,
): readonly (readonly [string, string])[] {
  if (cells.length > PAIRED_CELLS_MAX) return []
  return cells.slice(1).flatMap((cell, index) => {
    const before = cells[index]!
    return isName(before, directory) && isName(cell, directory) ? [[before, cell] as const] : []
  })
}

/** Where no cell of a line says who is meant, two of them may. */
function joined(found: readonly Pasted[], directory: Directory, called: Called): readonly Pasted[] {
  if (found.some(({ meant }) => meant.kind === 'member')) return found
  const pairs = pairsOf(
    found.map(({ text }) => text),
    directory,
  )
  for (const [a, b] of pairs) {
    const people = called.peopleOfBoth(a, b)
    const at = found.findIndex(({ text }, index) => text === a && found[index + 1]?.text === b)
    if (people.length === 0 || at < 0) continue
    const { line } = found[at]!
    const whole = { line, text: `${a} ${b}`, meant: oneOf(people) }
    return [...found.slice(0, at), whole, ...found.slice(at + 2)]
  }
  return found
}

/** Those that mean what another of the line means are told once. */
function merged(found: readonly Pasted[], isRow: boolean): readonly Pasted[] {
  const accounts = new Set(
    found.flatMap(({ meant }) =>
      meant.kind === 'member' && meant.who.kind === 'account' ? [meant.who.id] : [],
    ),
  )
  const saysWhole = ({ meant }: Pasted): boolean =>
    meant.kind === 'member' || (meant.kind === 'unclear' && meant.isPart !== true)
  const isClear = isRow && found.some(saysWhole)
  const isHinted = isRow && found.some(({ meant }) => meant.kind !== 'unknown')
  const told = new Set<string>()
  return found.filter(({ meant }) => {
    if (meant.kind === 'unclear')
      return !(isClear && meant.isPart) && !meant.candidates.some((id) => accounts.has(id))
    if (meant.kind === 'unknown') return !isHinted
    if (meant.who.kind !== 'account') return true
    const isNew = !told.has(meant.who.id)
    told.add(meant.who.id)
    return isNew
  })
}

function meantBy(cell: string, directory: Directory, called: Called): Meant {
  if (cell.length > TEXT_LENGTH_MAX) return { kind: 'unknown', why: 'tooLong' }
  if (/[@＠]/.test(cell)) return byAddress(cell, directory)
  const account = byUserName(cell, directory)
  if (account !== undefined) return person(account)
  const people = called.people(cell)
  if (people.length > 0) return oneOf(people)
  const meant = byAddress(`${cell.normalize('NFKC')}@${directory.defaultDomain ?? ''}`, directory)
  if (meant.kind !== 'unknown') return meant
  const candidates = called.inPart(cell)
  if (candidates.length > 0) return { kind: 'unclear', candidates, isPart: true }
  // Nothing in it says that an address was meant.
  return meant.why === 'noAddress' ? { kind: 'unknown', why: 'nobody' } : meant
}

/** By a name that all of them bear. */
function oneOf(people: readonly AccountId[]): Meant {
  const [id, ...others] = people
  return others.length === 0
    ? { kind: 'member', who: { kind: 'account', id: id! } }
    : { kind: 'unclear', candidates: people.slice(0, CANDIDATES_MAX) }
}

const person = ({ id, deletedAt }: Account): Meant =>
  deletedAt === undefined
    ? { kind: 'member', who: { kind: 'account', id } }
    : { kind: 'unknown', why: 'deleted' }

/** An id or a user name; digits and letters may be as wide as kanji. */
function byUserName(cell: string, directory: Directory): Account | undefined {
  const text = cell.normalize('NFKC').trim()
  return (
    directory.account(text as AccountId) ?? (/\s/.test(text) ? undefined : directory.byLogin(text))
  )
}

/** `taro@campus.example`, `"山田 太郎" <taro@campus.example>`. */
function byAddress(cell: string, directory: Directory): Meant {
  const [, before = '', inside] = /^(.*?)[<＜]([^<>＜＞]*)[>＞]?\s*$/.exec(cell) ?? []
  const text = (inside ?? cell).normalize('NFKC').trim()
  const parsed = parseAddress(text)
  if (!parsed.ok) return { kind: 'unknown', why: 'nobody' }
  const address = parsed.value
  const alias = directory.alias(address)
  if (alias !== undefined && alias.to.length !== 1)
    return { kind: 'member', who: { kind: 'group', address: alias.from } }
  const converted = convert(address, withoutForwards(directory))
  const [target, ...others] = converted.ok ? converted.value.targets : []
  if (target === undefined) return { kind: 'unknown', why: 'circle' }
  if (others.length > 0) return { kind: 'member', who: { kind: 'group', address } }
  if (target.accountId !== undefined)
    return { kind: 'member', who: { kind: 'account', id: target.accountId } }
  if (target.list?.purpose === 'post')
    return { kind: 'member', who: { kind: 'list', id: target.list.id } }
  if (target.class === 'unknown' || target.class === 'list')
    return { kind: 'unknown', why: 'noAddress' }
  const name = before.replaceAll(/^["\s]+|["\s]+$/g, '')
  return { kind: 'member', who: { kind: 'address', address, ...(name !== '' && { name }) } }
}
