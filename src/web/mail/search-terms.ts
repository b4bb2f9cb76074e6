/** A filter of Email/query. */
export type Filter = Readonly<Record<string, unknown>>

const FIELDS = new Set(['from', 'to', 'cc', 'subject', 'body'])
const FLAGS: Readonly<Record<string, Filter>> = {
  'is:unread': { notKeyword: '$seen' },
  'is:read': { hasKeyword: '$seen' },
  'is:starred': { hasKeyword: '$flagged' },
  'is:answered': { hasKeyword: '$answered' },
  'has:attachment': { hasAttachment: true },
}

/**
 * What somebody typed, as conditions that must all hold: words, `"a phrase"`, `from:`, `to:`,
 * `subject:`, `is:unread`, `is:starred`, `has:attachment`, `after:` and `before:` with a date.
 */
export function searchConditions(text: string): readonly Filter[] {
  const found: Filter[] = []
  const words: string[] = []
  for (const [token] of text.normalize('NFKC').matchAll(/(?:[a-z]+:)?"[^"]+"|\S+/gi)) {
    const flag = FLAGS[token.toLowerCase()]
    const [name = '', ...rest] = token.split(':')
    const key = name.toLowerCase()
    const value = rest.join(':')
    if (flag !== undefined) found.push(flag)
    else if (value !== '' && FIELDS.has(key)) found.push({ [key]: value })
    else if ((key === 'after' || key === 'before') && dayOf(value) !== undefined)
      found.push({ [key]: dayOf(value)! })
    else words.push(token)
  }
  return words.length === 0 ? found : [...found, { text: words.join(' ') }]
}

/** Midnight here, as a UTCDate. */
function dayOf(text: string): string | undefined {
  const match = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/.exec(text)
  if (match === null) return undefined
  const [year, month, day] = match.slice(1).map(Number)
  const date = new Date(year!, month! - 1, day)
  return Number.isNaN(date.valueOf()) ? undefined : date.toISOString()
}
