import { DELETED, SEEN, SYSTEM_FLAGS } from '#model/mailbox.ts'
import { readDate } from './date.ts'
import { systemFlagBit } from './flags.ts'
import { readMessageSet } from './sequence-set.ts'
import { NUMBER_MAX } from './scanner.ts'
import type { Scanner } from './scanner.ts'
import type { MessageSet } from './sequence-set.ts'

interface DayKey {
  readonly relation: 'before' | 'on' | 'since'
  /** The day's first ms in UTC. */
  readonly dayMs: number
}

/** One key of SEARCH (RFC 9051 §6.4.4); texts are one character an octet, in the command's charset. */
export type SearchKey =
  | { readonly kind: 'all' | 'recent' }
  | { readonly kind: 'flag'; readonly bit: number; readonly on: boolean }
  | { readonly kind: 'keyword'; readonly keyword: string; readonly on: boolean }
  | { readonly kind: 'sequence' | 'uid'; readonly set: MessageSet }
  | ({ readonly kind: 'internalDay' } & DayKey)
  | ({ readonly kind: 'sentDay' } & DayKey)
  | ({ readonly kind: 'savedDay' } & DayKey)
  | { readonly kind: 'age'; readonly relation: 'older' | 'younger'; readonly seconds: number }
  | { readonly kind: 'size'; readonly relation: 'larger' | 'smaller'; readonly sizeBytes: number }
  | { readonly kind: 'header'; readonly field: string; readonly text: string }
  | {
      readonly kind: 'address'
      readonly field: 'from' | 'to' | 'cc' | 'bcc'
      readonly text: string
    }
  | { readonly kind: 'subject' | 'body' | 'text'; readonly text: string }
  | { readonly kind: 'modSeq'; readonly atLeast: bigint }
  | { readonly kind: 'emailId' | 'threadId'; readonly id: string }
  | { readonly kind: 'not'; readonly key: SearchKey }
  | { readonly kind: 'and' | 'or'; readonly keys: readonly SearchKey[] }

export type SearchReturn = 'min' | 'max' | 'all' | 'count' | 'save'

/** Places in a result, from 1; from the end where `fromEnd` (RFC 9394 §3.1). Ascending. */
export interface PartialRange {
  readonly from: number
  readonly to: number
  readonly fromEnd: boolean
  /** As it was asked for, and is named in the answer. */
  readonly label: string
}

export interface SearchProgram {
  /** Undefined: the old untagged SEARCH; empty stands for ALL (RFC 4731 §3.1). */
  readonly results?: readonly SearchReturn[]
  readonly partial?: PartialRange
  readonly charset?: string
  readonly key: SearchKey
}

/** Keys of one command: more cost more than a person ever asks. */
const KEYS_MAX = 2_000

/** Reads all after `SEARCH`: `[RETURN (…)] [CHARSET name] key …`. */
export function readSearch(scanner: Scanner): SearchProgram {
  scanner.space()
  const returns = readReturns(scanner)
  if (returns !== undefined) scanner.space()
  let charset: string | undefined
  if (upcoming(scanner, 'CHARSET ')) {
    scanner.position += 'CHARSET '.length
    charset = scanner.astring()
    scanner.space()
  }
  return {
    key: readSearchKeys(scanner),
    ...returns,
    ...(charset === undefined ? {} : { charset }),
  }
}

/** Keys to the end of the command, all of which must match. */
export function readSearchKeys(scanner: Scanner): SearchKey {
  const reader = new KeyReader(scanner)
  const keys = [reader.key()]
  while (!scanner.atEnd && scanner.skip(' ')) if (!scanner.atEnd) keys.push(reader.key())
  return keys.length === 1 ? keys[0]! : { kind: 'and', keys }
}

const upcoming = (scanner: Scanner, word: string): boolean =>
  scanner.text.slice(scanner.position, scanner.position + word.length).toUpperCase() === word

const RETURNS: ReadonlyMap<string, SearchReturn> = new Map([
  ['MIN', 'min'],
  ['MAX', 'max'],
  ['ALL', 'all'],
  ['COUNT', 'count'],
  ['SAVE', 'save'],
])

/** `RETURN (option …)`, where it stands there. */
export function readReturns(
  scanner: Scanner,
): Pick<SearchProgram, 'results' | 'partial'> | undefined {
  if (!upcoming(scanner, 'RETURN ')) return undefined
  scanner.position += 'RETURN '.length
  const results: SearchReturn[] = []
  let partial: PartialRange | undefined
  scanner.list(() => {
    const word = scanner.word()
    const result = RETURNS.get(word)
    if (result !== undefined) results.push(result)
    else if (word === 'PARTIAL' && partial === undefined) partial = readPartial(scanner)
    else scanner.fail('Unknown search result option')
  })
  // RFC 9394 §3.1: one or the other.
  if (partial !== undefined && results.includes('all')) scanner.fail('PARTIAL goes without ALL')
  return { results, ...(partial === undefined ? {} : { partial }) }
}

const PARTIAL = /^(-?)(\d{1,10}):(-?)(\d{1,10})$/

/** ` 1:500` or ` -1:-500` */
export function readPartial(scanner: Scanner): PartialRange {
  scanner.space()
  const label = scanner.atom()
  const match = PARTIAL.exec(label)
  const [a, b] = [Number(match?.[2]), Number(match?.[4])]
  const isRange = match !== null && match[1] === match[3] && a > 0 && b > 0
  if (!isRange || Math.max(a, b) > NUMBER_MAX) return scanner.fail('Bad partial range')
  return { from: Math.min(a, b), to: Math.max(a, b), fromEnd: match[1] === '-', label }
}

/** What lies at those places. */
export function partOf<T>(items: readonly T[], range: PartialRange): readonly T[] {
  const { length } = items
  return range.fromEnd
    ? items.slice(Math.max(0, length - range.to), Math.max(0, length - range.from + 1))
    : items.slice(range.from - 1, range.to)
}

type Reader = (scanner: Scanner, keys: KeyReader) => SearchKey

const flagKey =
  (name: string, on: boolean): Reader =>
  () => ({ kind: 'flag', bit: systemFlagBit(name) ?? DELETED, on })

const dayKey =
  (kind: 'internalDay' | 'sentDay' | 'savedDay', relation: 'before' | 'on' | 'since'): Reader =>
  (scanner) => ({ kind, relation, dayMs: argument(scanner, readDate) })

const textKey =
  (kind: 'subject' | 'body' | 'text'): Reader =>
  (scanner) => ({ kind, text: argument(scanner, (s) => s.astring()) })

const addressKey =
  (field: 'from' | 'to' | 'cc' | 'bcc'): Reader =>
  (scanner) => ({ kind: 'address', field, text: argument(scanner, (s) => s.astring()) })

const keywordKey =
  (on: boolean): Reader =>
  (scanner) => ({ kind: 'keyword', keyword: argument(scanner, (s) => s.atom()), on })

const ageKey =
  (relation: 'older' | 'younger'): Reader =>
  (scanner) => {
    const seconds = argument(scanner, (s) => s.number())
    return seconds > 0 ? { kind: 'age', relation, seconds } : scanner.fail('Zero interval')
  }

function argument<T>(scanner: Scanner, read: (scanner: Scanner) => T): T {
  scanner.space()
  return read(scanner)
}

const RECENT: SearchKey = { kind: 'recent' }
const UNSEEN: SearchKey = { kind: 'flag', bit: SEEN, on: false }

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['ALL', () => ({ kind: 'all' })],
  // RFC 3501 §6.4.4; of rev2 they are no more (RFC 9051 appendix E), and nothing is recent there.
  ['RECENT', () => RECENT],
  ['NEW', () => ({ kind: 'and', keys: [RECENT, UNSEEN] })],
  ['OLD', () => ({ kind: 'not', key: RECENT })],
  ...SYSTEM_FLAGS.flatMap((flag): [string, Reader][] => [
    [flag.slice(1).toUpperCase(), flagKey(flag, true)],
    [`UN${flag.slice(1).toUpperCase()}`, flagKey(flag, false)],
  ]),
  ['KEYWORD', keywordKey(true)],
  ['UNKEYWORD', keywordKey(false)],
  ['BEFORE', dayKey('internalDay', 'before')],
  ['ON', dayKey('internalDay', 'on')],
  ['SINCE', dayKey('internalDay', 'since')],
  ['SENTBEFORE', dayKey('sentDay', 'before')],
  ['SENTON', dayKey('sentDay', 'on')],
  ['SENTSINCE', dayKey('sentDay', 'since')],
  ['SAVEDBEFORE', dayKey('savedDay', 'before')],
  ['SAVEDON', dayKey('savedDay', 'on')],
  ['SAVEDSINCE', dayKey('savedDay', 'since')],
  ['SAVEDATESUPPORTED', () => ({ kind: 'all' })], // RFC 8514 §4.3: every mailbox knows it
  ['OLDER', ageKey('older')],
  ['YOUNGER', ageKey('younger')],
  ['FROM', addressKey('from')],
  ['TO', addressKey('to')],
  ['CC', addressKey('cc')],
  ['BCC', addressKey('bcc')],
  ['SUBJECT', textKey('subject')],
  ['BODY', textKey('body')],
  ['TEXT', textKey('text')],
  [
    'LARGER',
    (s) => ({ kind: 'size', relation: 'larger', sizeBytes: argument(s, (a) => a.number()) }),
  ],
  [
    'SMALLER',
    (s) => ({ kind: 'size', relation: 'smaller', sizeBytes: argument(s, (a) => a.number()) }),
  ],
  ['UID', (s) => ({ kind: 'uid', set: argument(s, readMessageSet) })],
  [
    'HEADER',
    (s) => ({
      kind: 'header',
      field: argument(s, (a) => a.astring()),
      text: argument(s, (a) => a.astring()),
    }),
  ],
  ['MODSEQ', readModSeq],
  ['EMAILID', (s) => ({ kind: 'emailId', id: argument(s, (a) => a.atom()) })],
  ['THREADID', (s) => ({ kind: 'threadId', id: argument(s, (a) => a.atom()) })],
  ['NOT', (s, keys) => ({ kind: 'not', key: argument(s, () => keys.key()) })],
  [
    'OR',
    (s, keys) => ({
      kind: 'or',
      keys: [argument(s, () => keys.key()), argument(s, () => keys.key())],
    }),
  ],
])

/** `MODSEQ [entry-name entry-type] n`: flags have one mod-sequence for all here (RFC 7162 §3.1.5). */
function readModSeq(scanner: Scanner): SearchKey {
  scanner.space()
  if (scanner.peek() === '"') {
    scanner.string()
    scanner.space()
    scanner.atom()
    scanner.space()
  }
  return { kind: 'modSeq', atLeast: scanner.bigNumber() }
}

class KeyReader {
  readonly #scanner: Scanner
  #count = 0
  constructor(scanner: Scanner) {
    this.#scanner = scanner
  }

  key(): SearchKey {
    const scanner = this.#scanner
    if (++this.#count > KEYS_MAX) scanner.fail('Too many search keys')
    if (scanner.peek() === '(') {
      const keys = scanner.list(() => this.key())
      if (keys.length === 0) scanner.fail('Empty search')
      return keys.length === 1 ? keys[0]! : { kind: 'and', keys }
    }
    if (/[\d*$]/.test(scanner.peek())) return { kind: 'sequence', set: readMessageSet(scanner) }
    const read = READERS.get(scanner.word()) ?? scanner.fail('Unknown search key')
    return scanner.nested(() => read(scanner, this))
  }
}
