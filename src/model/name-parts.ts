/** A name in its parts, as address books show and seek them. */
export interface NameParts {
  readonly surname: string
  readonly givenName?: string
}

/** Kanji, kana and hangul: there the family's name stands first. */
const EASTERN =
  /[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\u{20000}-\u{3ffff}]/u

/** What stands first or last of a name of several words; a lone word is both surname and whole. */
export function partsOf(name: string): NameParts {
  const words = name.trim().split(/\s+/)
  if (words.length < 2) return { surname: words[0] ?? '' }
  const comma = name.includes(',') ? /^([^,]+),\s*(.+)$/.exec(name.trim()) : null
  if (comma !== null) return { surname: comma[1]!, givenName: comma[2]! }
  if (EASTERN.test(name)) return { surname: words[0]!, givenName: words.slice(1).join(' ') }
  return { surname: words.at(-1)!, givenName: words.slice(0, -1).join(' ') }
}

export const isEastern = (name: string): boolean => EASTERN.test(name)
