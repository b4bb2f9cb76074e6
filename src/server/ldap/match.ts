import type { Filter } from '#codec/ldap/filter.ts'
import { matcherOf, textOf } from '#codec/ldap/match.ts'
import type { FilterWords } from '#codec/ldap/match.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import { describe } from './attributes.ts'
import type { BookEntry } from './attributes.ts'

/** Texts are compared as searches of mail compare them. */
const WORDS: FilterWords = {
  describe,
  fold: foldText,
  anr: ['cn', 'sn', 'givenName', 'displayName', 'mail', 'uid'],
}

/** Whether the filter is true of an entry. */
export const matcher = (filter: Filter): ((entry: BookEntry) => boolean) => matcherOf(filter, WORDS)

/** What a text must hold, all values of an entry folded together, for the filter to be true of it. */
export function holder(filter: Filter): (text: string) => boolean {
  switch (filter.kind) {
    case 'and': {
      const all = filter.filters.map(holder)
      return (text) => all.every((each) => each(text))
    }
    case 'or': {
      const any = filter.filters.map(holder)
      return (text) => any.some((each) => each(text))
    }
    default: {
      const texts = textsIn(filter)
      return (text) => texts === undefined || texts.every((each) => text.includes(each))
    }
  }
}

/** Words that stand in the text of each entry for which the filter is true, told from it alone. */
export function wordsIn(filter: Filter): readonly string[] {
  switch (filter.kind) {
    case 'and':
      return [...new Set(filter.filters.flatMap(wordsIn))]
    case 'or': {
      const [first = [], ...others] = filter.filters.map(wordsIn)
      return first.filter((word) => others.every((each) => each.includes(word)))
    }
    default:
      return textsIn(filter) ?? []
  }
}

/** What a comparison seeks in texts; undefined: none of those that are looked through first. */
function textsIn(filter: Filter): readonly string[] | undefined {
  if (filter.kind !== 'equal' && filter.kind !== 'approximate' && filter.kind !== 'substrings')
    return undefined
  const type = describe(filter.type)?.type ?? filter.type.toLowerCase()
  if (!TEXTS.has(type)) return undefined
  const pieces =
    filter.kind === 'substrings' ? [filter.initial, ...filter.any, filter.final] : [filter.value]
  return pieces.flatMap((piece) => (piece === undefined ? [] : [textOf(piece, WORDS).trim()]))
}

/** Types whose values stand in the text that is looked through first. */
const TEXTS: ReadonlySet<string> = new Set([
  'cn',
  'sn',
  'givenName',
  'displayName',
  'uid',
  'mail',
  'anr',
])
