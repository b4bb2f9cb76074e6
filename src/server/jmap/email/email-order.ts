import { asciiLower } from '#base/text.ts'
import { DELETED } from '#model/mailbox.ts'
import type { Candidate } from './email-filter.ts'
import { FLAG_KEYWORDS } from './emails.ts'
import type { EmailView } from './email-views.ts'

export interface SortKey {
  readonly property: string
  readonly isAscending: boolean
  readonly keyword: string | undefined
}

/** Rows of views by time of arrival, one after another. */
export interface Ordered {
  readonly length: number
  at(index: number): Candidate
}

/** Of one view without any work; of several their orders merged. */
export function ordered(
  views: readonly EmailView[],
  { newestFirst }: { readonly newestFirst: boolean },
): Ordered {
  const [only] = views
  if (only !== undefined && views.length === 1) {
    const { length } = only.byDate
    return {
      length,
      at: (index) => ({
        view: only,
        row: only.byDate[newestFirst ? length - 1 - index : index]!,
      }),
    }
  }
  const rows = merged(views)
  return {
    length: rows.length,
    at: (index) => rows[newestFirst ? rows.length - 1 - index : index]!,
  }
}

/** From the oldest; of one time by number, so that copies of one email stand together. */
function merged(views: readonly EmailView[]): Candidate[] {
  const rows: Candidate[] = []
  const first = new Map<number, Candidate>()
  for (const view of views)
    for (const row of view.byDate) {
      if ((view.flags[row]! & DELETED) !== 0) continue
      const candidate: Candidate = { view, row }
      rows.push(candidate)
      const other = first.get(view.emails[row]!)
      if (other === undefined) first.set(view.emails[row]!, candidate)
      else {
        other.copies = [...(other.copies ?? [other]), candidate]
        for (const copy of other.copies) copy.copies = other.copies
      }
    }
  return rows.sort(byTime)
}

const byTime = (a: Candidate, b: Candidate): number =>
  a.view.datesMs[a.row]! - b.view.datesMs[b.row]! || a.view.emails[a.row]! - b.view.emails[b.row]!

/** What a message's content is sorted by. */
export interface SortTexts {
  readonly subject: string
  readonly from: string
  readonly to: string
  readonly sentAtMs: number
}

/** Sorts by content need `texts` of each candidate. */
export const isContentSort = ({ property }: SortKey): boolean =>
  ['subject', 'from', 'to', 'sentAt'].includes(property)

/** Compares by each key in turn; what they leave equal stays by time, newest first. */
export function compareBy(
  keys: readonly SortKey[],
  texts: ReadonlyMap<Candidate, SortTexts>,
): (a: Candidate, b: Candidate) => number {
  const compares = keys.map((key) => {
    const value = isContentSort(key) ? contentValue(key, texts) : valueOf(key.property, key.keyword)
    const sign = key.isAscending ? 1 : -1
    return (a: Candidate, b: Candidate): number => {
      const [x, y] = [value(a), value(b)]
      return x < y ? -sign : x > y ? sign : 0
    }
  })
  return (a, b) => {
    for (const compare of compares) {
      const result = compare(a, b)
      if (result !== 0) return result
    }
    return byTime(b, a)
  }
}

const NONE: SortTexts = { subject: '', from: '', to: '', sentAtMs: 0 }

function contentValue(
  { property }: SortKey,
  texts: ReadonlyMap<Candidate, SortTexts>,
): (candidate: Candidate) => number | string {
  const name = property === 'sentAt' ? 'sentAtMs' : (property as 'subject' | 'from' | 'to')
  return (candidate) => (texts.get(candidate) ?? NONE)[name]
}

function valueOf(property: string, keyword = ''): (candidate: Candidate) => number {
  if (property === 'size') return ({ view, row }) => view.sizes[row]!
  if (property === 'receivedAt') return ({ view, row }) => view.datesMs[row]!
  const name = asciiLower(keyword)
  const known = FLAG_KEYWORDS.find(([other]) => other === name)
  return ({ view, row }) => {
    if (known !== undefined) return (view.flags[row]! & known[1]) === 0 ? 0 : 1
    const slot = view.mailbox.keywords.findIndex((other) => asciiLower(other) === name)
    return slot < 0 ? 0 : Math.floor(view.flags[row]! / 2 ** (5 + slot)) % 2
  }
}
