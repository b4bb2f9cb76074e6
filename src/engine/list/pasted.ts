import { foldText } from '#codec/mime/fold-text.ts'
import { convert, withoutForwards } from '#engine/route/convert.ts'
import type { Account, AccountId } from '#model/account.ts'
import { parseAddress } from '#model/address.ts'
import type { MemberRef } from '#model/list-member.ts'
import { withoutVariants } from '#model/name-variants.ts'
import type { Directory } from '#store/directory/directory.ts'

/** What stands in pasted text for one member. */
export interface Pasted {
  /** From 1 on. */
  readonly line: number
  readonly text: string
  readonly meant: Meant
}

export type Meant =
  | { readonly kind: 'member'; readonly who: MemberRef }
  /** Several people are called so. */
  | { readonly kind: 'unclear'; readonly candidates: readonly AccountId[] }
  | { readonly kind: 'unknown'; readonly why: NotMeant }

/** Why nobody is meant. */
export type NotMeant = 'tooLong' | 'deleted' | 'nobody' | 'circle' | 'noAddress'

export const PASTED_MAX = 20_000
const TEXT_LENGTH_MAX = 1_000
const CANDIDATES_MAX = 20
/** Accounts looked at in one go, while everybody else of this process waits. */
const LOOKED_AT_ONCE = 2_000

/**
 * Who is meant by pasted text: user names, addresses with and without a name, names and readings of people,
 * lists and groups, mixed, in lines or between commas and tabs, in letters of any width. Cells of one
 * line that mean the same person are one; of a line between tabs, what nobody is called is left out
 * where another cell says who it is, as a column of a spreadsheet is.
 */
export async function readPasted(
  text: string,
  directory: Directory,
  turn: () => Promise<void>,
): Promise<readonly Pasted[]> {
  const lines = cellsOf(text)
  const named = new Map<string, AccountId[]>()
  for (const { cells } of lines)
    for (const cell of cells)
      if (!/[@＠]/.test(cell) && byUserName(cell, directory) === undefined)
        named.set(nameKey(cell), [])
  if (named.size > 0) await findNames(named, directory, turn)
  return lines.flatMap(({ line, cells, isRow }) => {
    const found = cells.map((cell) => ({
      line,
      text: cell,
      meant: meantBy(cell, directory, named),
    }))
    return merged(found, isRow)
  })
}

/** Whom one text names: a user name, an id, an address, or a name that one person alone bears. */
export async function whoIs(
  text: string,
  directory: Directory,
  turn: () => Promise<void>,
): Promise<Meant> {
  const cell = text.trim()
  const named = new Map<string, AccountId[]>()
  const known = meantBy(cell, directory, named)
  if (known.kind !== 'unknown' || /[@＠]/.test(cell)) return known
  named.set(nameKey(cell), [])
  await findNames(named, directory, turn)
  return meantBy(cell, directory, named)
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

/** Those that mean what another of the line means are told once. */
function merged(found: readonly Pasted[], isRow: boolean): readonly Pasted[] {
  const accounts = new Set(
    found.flatMap(({ meant }) =>
      meant.kind === 'member' && meant.who.kind === 'account' ? [meant.who.id] : [],
    ),
  )
  const isClear = found.some(({ meant }) => meant.kind === 'member')
  const told = new Set<string>()
  return found.filter(({ meant }) => {
    if (meant.kind === 'unclear') return !meant.candidates.some((id) => accounts.has(id))
    if (meant.kind === 'unknown') return !(isRow && isClear)
    if (meant.who.kind !== 'account') return true
    const isNew = !told.has(meant.who.id)
    told.add(meant.who.id)
    return isNew
  })
}

function meantBy(
  cell: string,
  directory: Directory,
  named: ReadonlyMap<string, readonly AccountId[]>,
): Meant {
  if (cell.length > TEXT_LENGTH_MAX) return { kind: 'unknown', why: 'tooLong' }
  if (/[@＠]/.test(cell)) return byAddress(cell, directory)
  const account = byUserName(cell, directory)
  if (account !== undefined) return person(account)
  const candidates = named.get(nameKey(cell)) ?? []
  const [first] = candidates
  if (first !== undefined && candidates.length === 1)
    return { kind: 'member', who: { kind: 'account', id: first } }
  if (first !== undefined)
    return { kind: 'unclear', candidates: candidates.slice(0, CANDIDATES_MAX) }
  const meant = byAddress(`${cell.normalize('NFKC')}@${directory.defaultDomain ?? ''}`, directory)
  // Nothing in it says that an address was meant.
  return meant.kind === 'unknown' && meant.why === 'noAddress'
    ? { kind: 'unknown', why: 'nobody' }
    : meant
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

/** Names are the same in any width, kana and form of a kanji, with and without a blank between. */
const nameKey = (name: string): string => withoutVariants(foldText(name)).replaceAll(/\s+/g, '')

/** One pass over all people, however many names are looked for. */
async function findNames(
  named: ReadonlyMap<string, AccountId[]>,
  directory: Directory,
  turn: () => Promise<void>,
): Promise<void> {
  let looked = 0
  for (const { id, name, reading, formerNames = [], deletedAt } of directory.accounts()) {
    if (++looked % LOOKED_AT_ONCE === 0) await turn()
    if (deletedAt !== undefined) continue
    const keys = new Set(
      [name, reading, ...formerNames].flatMap((each) => (each ? [nameKey(each)] : [])),
    )
    for (const key of keys) named.get(key)?.push(id)
  }
}
