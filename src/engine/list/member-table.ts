import type { Table } from '#codec/table/table.ts'
import type { MemberDelivery } from '#model/list-words.ts'
import { isDay } from '#model/person-facts.ts'

/** What a row of a spreadsheet says of one member. */
export interface MemberRow {
  /** Of the file, from 1. */
  readonly line: number
  /** As `readPasted` takes a line of several cells: all of them mean one person. */
  readonly text: string
  readonly as?: 'member' | 'excluded'
  readonly delivery?: MemberDelivery
  /** The last day, or a moment; null: it has no end. */
  readonly until?: string | null
  /** What of it cannot be understood: nothing of the row is taken. */
  readonly odd?: string
}

/** What columns are called, as exports of ours and spreadsheets of offices have them. */
const TITLES = {
  username: [
    'username',
    'user name',
    'user',
    'uid',
    'login',
    'ユーザー名',
    'ユーザ名',
    'ログイン名',
    '利用者id',
  ],
  address: [
    'address',
    'mail',
    'email',
    'e-mail',
    'メールアドレス',
    'アドレス',
    'メール',
    'eメール',
  ],
  name: ['name', 'full name', 'display name', '氏名', '名前', '表示名'],
  as: ['as', 'kind', '種別'],
  delivery: ['delivery', 'gets', '配送'],
  until: ['until', 'last day', 'expires', '期限', '終了日'],
} as const
type Title = keyof typeof TITLES

const WORDS = {
  as: {
    member: ['member', 'メンバー', '会員'],
    excluded: ['excluded', 'kept out', '除外'],
  },
  delivery: {
    each: ['each', 'each post', '投稿ごと'],
    digest: ['digest', 'digests', 'まとめ送り'],
    none: ['none', 'nothing', '配送なし'],
  },
} as const

/** Members of a table: by the titles of its columns, or, where it has none, by whatever stands in a row. */
export function membersOf({ rows }: Table): readonly MemberRow[] {
  const [first, ...rest] = rows
  if (first === undefined) return []
  const titles = first.cells.map(titleOf)
  const hasTitles = titles.some(
    (title) => title === 'username' || title === 'address' || title === 'name',
  )
  return hasTitles
    ? rest.map(({ line, cells }) => titled(line, cells, titles))
    : rows.map(({ line, cells }) => ({ line, text: whoText(cells) }))
}

function titled(
  line: number,
  cells: readonly string[],
  titles: readonly (Title | undefined)[],
): MemberRow {
  const of = (title: Title): string => cells[titles.indexOf(title)]?.trim() ?? ''
  const text = whoText([of('username'), ...named(of('address'), of('name'))])
  const as = wordOf('as', of('as'))
  const delivery = wordOf('delivery', of('delivery'))
  const until = untilOf(of('until'))
  const odd = [
    ...(as === 'odd' ? [of('as')] : []),
    ...(delivery === 'odd' ? [of('delivery')] : []),
    ...(until === 'odd' ? [of('until')] : []),
  ]
  if (odd.length > 0) return { line, text, odd: `${odd.join(', ')} is not understood` }
  return {
    line,
    text,
    ...(as !== undefined && { as: as as 'member' }),
    ...(delivery !== undefined && { delivery: delivery as MemberDelivery }),
    ...(until !== undefined && { until }),
  }
}

/** An address says who it is, whoever else bears the name; its name is kept where it is nobody's here. */
function named(address: string, name: string): readonly string[] {
  if (address === '' || name === '') return [address || name]
  return [/[<>＜＞]/.test(`${address}${name}`) ? address : `${name} <${address}>`]
}

const plain = (text: string): string => text.normalize('NFKC').trim().toLowerCase()

const titleOf = (cell: string): Title | undefined =>
  (Object.keys(TITLES) as Title[]).find((title) =>
    (TITLES[title] as readonly string[]).includes(plain(cell)),
  )

/** A tab at the end: commas within a name part nobody from it. */
const whoText = (cells: readonly string[]): string =>
  `${cells.map((cell) => cell.replaceAll(/[\t\r\n]+/g, ' ')).join('\t')}\t`

/** Undefined: the cell is empty, and it stays as it is. */
function wordOf(column: keyof typeof WORDS, cell: string): string | undefined {
  const text = plain(cell)
  if (text === '') return undefined
  const found = Object.entries(WORDS[column]).find(([, words]) =>
    (words as readonly string[]).includes(text),
  )
  return found?.[0] ?? 'odd'
}

/** `2027-03-31`, `2027/3/31` as Excel makes of it, `2027年3月31日`; a moment as an export of ours has it. */
function untilOf(cell: string): string | undefined {
  const text = cell.normalize('NFKC').trim()
  if (text === '') return undefined
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) && Number.isFinite(Date.parse(text))) return text
  const found = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(text)
  const day =
    found
      ?.slice(1)
      .map((part) => part.padStart(2, '0'))
      .join('-') ?? ''
  return isDay(day) ? day : 'odd'
}
