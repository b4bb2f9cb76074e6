import type { Table } from '#codec/table/table.ts'
import type { Census, CensusException, Person } from '#model/person.ts'
import { factsAfter } from '#model/person-facts.ts'

/** What columns are called, by what they hold. */
const COLUMNS = {
  username: [
    'username',
    'user',
    'user name',
    'login',
    'uid',
    'id',
    'ユーザー名',
    'ユーザ名',
    'ログイン名',
    '利用者id',
    'ユーザーid',
  ],
  address: ['address', 'mail', 'email', 'e-mail', 'メールアドレス', 'アドレス', 'メール'],
  name: ['name', 'full name', 'display name', '氏名', '名前', '表示名'],
  reading: [
    'reading',
    'phonetic',
    'kana',
    'ふりがな',
    'フリガナ',
    'よみ',
    '読み',
    '氏名カナ',
    'カナ',
  ],
  formerNames: ['former names', 'former name', '旧姓', '旧氏名', '旧名'],
  tags: ['tags', 'tag', 'タグ', '区分', '所属'],
  externalId: ['external id', 'employee number', '学籍番号', '職員番号', '外部id'],
  startsOn: ['starts on', 'start', '開始日', '利用開始日'],
  expiresOn: ['expires on', 'expires', '有効期限', '終了日', '利用終了日'],
  addresses: [
    'addresses',
    'aliases',
    'alias',
    'further addresses',
    '別名',
    '別アドレス',
    '追加アドレス',
  ],
  forward: ['forward', 'forward to', '転送', '転送先'],
  keep: ['keep', 'keep a copy', 'コピーを残す', '転送時に残す'],
  passwordHash: ['passwordhash', 'password hash', 'hash', 'パスワードハッシュ'],
  quotaBytes: ['quota', 'quota bytes', '容量', '容量上限'],
  quotaMessages: ['quota messages', '通数上限'],
  disabled: ['disabled', '停止', '無効'],
} as const
type Column = keyof typeof COLUMNS

/** The titles that an export has, one for each column. */
export const TITLES: Readonly<Record<Column, string>> = {
  username: 'username',
  address: 'address',
  name: 'name',
  reading: 'reading',
  formerNames: 'former names',
  tags: 'tags',
  externalId: 'external id',
  startsOn: 'starts on',
  expiresOn: 'expires on',
  addresses: 'addresses',
  forward: 'forward',
  keep: 'keep',
  passwordHash: 'password hash',
  quotaBytes: 'quota',
  quotaMessages: 'quota messages',
  disabled: 'disabled',
}

/** `＠`, full-width digits and blanks, as people type them, mean what they look like. */
const plain = (text: string): string => text.normalize('NFKC').trim()

const listed = (text: string): string[] =>
  plain(text)
    .split(/[\s,;、]+/)
    .filter((each) => each !== '')
    .map((each) => each.toLowerCase())

/** Names and tags may have blanks in them. */
const parted = (text: string): string[] =>
  text
    .split(/[,;、，；]+/)
    .map((each) => each.trim())
    .filter((each) => each !== '')

/** `2027/3/31` and `2027年3月31日`, as spreadsheets write days, are `2027-03-31`; others stay as they are. */
const dayIn = (text: string): string => {
  const [, year, month, day] =
    /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(plain(text)) ?? []
  return year === undefined
    ? plain(text)
    : `${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}`
}

/** People of a table whose first row has the titles, in English or Japanese, in any order. */
export function fromTable({ rows: [titles, ...rows] }: Table): Census {
  const exceptions: CensusException[] = []
  const columns = new Map<Column, number>()
  for (const [index, title] of (titles?.cells ?? []).entries()) {
    const key = plain(title).toLowerCase()
    const found = (Object.keys(COLUMNS) as Column[]).find((column) =>
      (COLUMNS[column] as readonly string[]).includes(key),
    )
    if (found === undefined)
      exceptions.push({ source: 'line 1', text: `a column that is not taken: ${title}` })
    else columns.set(found, index)
  }
  if (!columns.has('username') && !columns.has('address'))
    return {
      people: [],
      groups: [],
      exceptions: [
        ...exceptions,
        { source: 'line 1', text: 'no column for user names or addresses' },
      ],
    }
  const people = rows.flatMap(({ line, cells }) => {
    const cell = (column: Column): string => cells[columns.get(column) ?? -1] ?? ''
    const person = personOf(`line ${line}`, cell)
    if (typeof person !== 'string') return [person]
    exceptions.push({ source: `line ${line}`, text: person })
    return []
  })
  return { people, groups: [], exceptions }
}

const YES = /^(?:1|yes|true|y|はい|○|有|停止)$/i
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
}

function personOf(source: string, cell: (column: Column) => string): Person | string {
  const [address] = listed(cell('address'))
  const whole = plain(cell('username')).toLowerCase() || address
  if (whole === undefined) return 'no user name and no address'
  if (/\s/.test(whole)) return `'${whole}' is no user name`
  const [username = '', domain = address?.split('@')[1]] = whole.split('@')
  const own = domain === undefined ? username : `${username}@${domain}`
  const name = cell('name').normalize('NFC').trim()
  const forward = listed(cell('forward'))
  const hash = cell('passwordHash').trim()
  const bytes = /^(\d{1,15})\s*([KMGT]?)(?:i?B)?$/i.exec(plain(cell('quotaBytes')))
  if (bytes === null && plain(cell('quotaBytes')) !== '')
    return `'${cell('quotaBytes')}' is no size: 2G, 500M, 1073741824`
  const messages = plain(cell('quotaMessages'))
  if (!/^\d{0,12}$/.test(messages)) return `'${messages}' is no number of messages`
  const quota = {
    ...(bytes !== null && { bytes: Number(bytes[1]) * UNITS[bytes[2]!.toUpperCase()]! }),
    ...(messages !== '' && { messages: Number(messages) }),
  }
  const facts = factsAfter(
    {},
    {
      reading: cell('reading'),
      formerNames: parted(cell('formerNames')),
      tags: parted(cell('tags')),
      externalId: cell('externalId'),
      startsOn: dayIn(cell('startsOn')),
      expiresOn: dayIn(cell('expiresOn')),
    },
  )
  const addresses = [...(address === undefined ? [] : [address]), ...listed(cell('addresses'))]
  return {
    source,
    username,
    ...(domain !== undefined && { domain }),
    ...(name !== '' && { name }),
    ...facts,
    addresses: [...new Set(addresses)].filter((each) => each !== own && each.includes('@')),
    ...(forward.length > 0 && { forward: { to: forward, keep: YES.test(plain(cell('keep'))) } }),
    ...(plain(cell('disabled')) !== '' && { disabled: YES.test(plain(cell('disabled'))) }),
    ...(hash !== '' && { passwordHash: hash }),
    ...(Object.keys(quota).length > 0 && { quota }),
  }
}
