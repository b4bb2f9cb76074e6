import { asciiLower } from '#base/text.ts'

/** How texts are made alike, and how they are ordered (RFC 4790, RFC 5228 §2.7.3). */
export interface SieveComparator {
  readonly name: string
  /** What must be required for it. */
  readonly needs?: string
  readonly fold: (text: string) => string
  readonly order: (a: string, b: string) => number
  /** False: only equality and order, no substrings. */
  readonly hasSubstrings: boolean
}

const octetOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

export const COMPARATORS: readonly SieveComparator[] = [
  { name: 'i;octet', fold: (text) => text, order: octetOrder, hasSubstrings: true },
  { name: 'i;ascii-casemap', fold: asciiLower, order: octetOrder, hasSubstrings: true },
  {
    // RFC 5228 §2.7.3 asks for its require; scripts of other servers come without.
    name: 'i;unicode-casemap',
    fold: unicodeFold,
    order: octetOrder,
    hasSubstrings: true,
  },
  {
    name: 'i;ascii-numeric',
    needs: 'comparator-i;ascii-numeric',
    fold: (text) => text,
    order: numberOrder,
    hasSubstrings: false,
  },
]

/** RFC 5051 §2: characters decomposed and in title case; that one title case is one lower case. */
function unicodeFold(text: string): string {
  return text.normalize('NFKD').toUpperCase().toLowerCase()
}

/** RFC 4790 §9.1: leading digits; anything else is positive infinity. */
export function numberOrder(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => /^\d+/.exec(text)?.[0].replace(/^0+(?=\d)/, '')) as [
    string | undefined,
    string | undefined,
  ]
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined)
  if (x.length !== y.length) return x.length - y.length
  return x < y ? -1 : Number(x > y)
}

export const RELATIONS = ['gt', 'ge', 'lt', 'le', 'eq', 'ne'] as const
export type SieveRelation = (typeof RELATIONS)[number]

/** RFC 5231 §4 */
export function related(order: number, relation: SieveRelation): boolean {
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
