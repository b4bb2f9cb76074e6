import { assertNever } from '#base/outcome.ts'
import { asciiLower } from '#base/text.ts'

export type SieveComparator = 'i;octet' | 'i;ascii-casemap' | 'i;ascii-numeric'
export type SieveRelation = 'gt' | 'ge' | 'lt' | 'le' | 'eq' | 'ne'

/** How keys are compared (RFC 5228 §2.7, RFC 5231). */
export interface SieveMatch {
  readonly comparator: SieveComparator
  readonly type:
    | { readonly kind: 'is' | 'contains' | 'matches' }
    | { readonly kind: 'value'; readonly relation: SieveRelation }
    | { readonly kind: 'count'; readonly relation: SieveRelation }
}

/** True where one of the values meets one of the keys (RFC 5228 §2.7.1, RFC 5231 §4). */
export function matches(
  match: SieveMatch,
  values: readonly string[],
  keys: readonly string[],
): boolean {
  const { comparator, type } = match
  if (type.kind === 'count')
    return keys.some((key) => related(compareNumbers(String(values.length), key), type.relation))
  if (comparator === 'i;ascii-numeric') {
    const relation = type.kind === 'value' ? type.relation : 'eq'
    return values.some((value) => keys.some((key) => related(compareNumbers(value, key), relation)))
  }
  const fold = comparator === 'i;ascii-casemap' ? asciiLower : (text: string) => text
  const folded = keys.map(fold)
  return values.map(fold).some((value) =>
    folded.some((key) => {
      switch (type.kind) {
        case 'is':
          return value === key
        case 'contains':
          return value.includes(key)
        case 'matches':
          return matchesPattern(value, key)
        case 'value':
          return related(Buffer.compare(Buffer.from(value), Buffer.from(key)), type.relation)
        default:
          return assertNever(type)
      }
    }),
  )
}

function related(order: number, relation: SieveRelation): boolean {
  switch (relation) {
    case 'gt':
      return order > 0
    case 'ge':
      return order >= 0
    case 'lt':
      return order < 0
    case 'le':
      return order <= 0
    case 'eq':
      return order === 0
    case 'ne':
      return order !== 0
  }
}

/** RFC 4790 §9.1: leading digits; anything else is positive infinity. */
function compareNumbers(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => /^\d+/.exec(text)?.[0].replace(/^0+(?=\d)/, '')) as [
    string | undefined,
    string | undefined,
  ]
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined)
  if (x.length !== y.length) return x.length - y.length
  return x < y ? -1 : Number(x > y)
}

/**
 * `*`, `?` and `\` of RFC 5228 §2.7.1; `?` is one character, not one octet. Walks back to the last
 * star only, so that no pattern costs more than text × pattern.
 */
function matchesPattern(text: string, pattern: string): boolean {
  const characters = Array.from(text)
  const parts = patternParts(pattern)
  let at = 0
  let part = 0
  let star = -1
  let starAt = 0
  while (at < characters.length) {
    const wanted = parts[part]
    if (wanted?.kind === 'many') {
      star = part++
      starAt = at
    } else if (wanted?.kind === 'one' || (wanted && wanted.text === characters[at])) {
      part++
      at++
    } else if (star >= 0) {
      part = star + 1
      at = ++starAt
    } else return false
  }
  while (parts[part]?.kind === 'many') part++
  return part === parts.length
}

type PatternPart = { readonly kind: 'many' | 'one' | 'text'; readonly text: string }

function patternParts(pattern: string): PatternPart[] {
  const parts: PatternPart[] = []
  const characters = Array.from(pattern)
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!
    if (character === '*') {
      if (parts.at(-1)?.kind !== 'many') parts.push({ kind: 'many', text: '' })
    } else if (character === '?') parts.push({ kind: 'one', text: '' })
    else if (character === '\\' && i + 1 < characters.length)
      parts.push({ kind: 'text', text: characters[++i]! })
    else parts.push({ kind: 'text', text: character })
  }
  return parts
}
