import { readReturns, readSearchKeys } from './search-key.ts'
import type { PartialRange, SearchKey, SearchReturn } from './search-key.ts'
import type { Scanner } from './scanner.ts'

export type SortBy =
  | 'arrival'
  | 'cc'
  | 'date'
  | 'displayFrom'
  | 'displayTo'
  | 'from'
  | 'size'
  | 'subject'
  | 'to'

export interface SortCriterion {
  readonly by: SortBy
  readonly reverse: boolean
}

/** SORT (RFC 5256 §3): criteria, the charset of its texts, and what is to be sorted. */
export interface SortProgram {
  readonly criteria: readonly SortCriterion[]
  readonly charset: string
  readonly key: SearchKey
  /** What is to be told, where not all in a SORT response (RFC 5267 §3). */
  readonly results?: readonly SearchReturn[]
  readonly partial?: PartialRange
}

export type ThreadAlgorithm = 'ORDEREDSUBJECT' | 'REFERENCES'

/** THREAD (RFC 5256 §3). */
export interface ThreadProgram {
  readonly algorithm: ThreadAlgorithm
  readonly charset: string
  readonly key: SearchKey
}

const SORTS: ReadonlyMap<string, SortBy> = new Map([
  ['ARRIVAL', 'arrival'],
  ['CC', 'cc'],
  ['DATE', 'date'],
  ['DISPLAYFROM', 'displayFrom'],
  ['DISPLAYTO', 'displayTo'],
  ['FROM', 'from'],
  ['SIZE', 'size'],
  ['SUBJECT', 'subject'],
  ['TO', 'to'],
])
const CRITERIA_MAX = 100

/** Reads `[RETURN (option …)] (criterion …) charset key …`. */
export function readSort(scanner: Scanner): SortProgram {
  const returns = readReturns(scanner)
  if (returns !== undefined) scanner.space()
  const criteria = scanner.list((): SortCriterion => {
    const word = scanner.word()
    const reverse = word === 'REVERSE'
    if (reverse) scanner.space()
    const by = SORTS.get(reverse ? scanner.word() : word)
    return by === undefined ? scanner.fail('Unknown sort criterion') : { by, reverse }
  })
  if (criteria.length === 0 || criteria.length > CRITERIA_MAX) scanner.fail('No sort criteria')
  return { ...returns, criteria, ...readRest(scanner) }
}

/** Reads `algorithm charset key …`. */
export function readThread(scanner: Scanner): ThreadProgram {
  const algorithm = scanner.word()
  if (algorithm !== 'ORDEREDSUBJECT' && algorithm !== 'REFERENCES')
    return scanner.fail('Unknown threading algorithm')
  return { algorithm, ...readRest(scanner) }
}

function readRest(scanner: Scanner): { readonly charset: string; readonly key: SearchKey } {
  scanner.space()
  const charset = scanner.astring()
  scanner.space()
  return { charset, key: readSearchKeys(scanner) }
}
