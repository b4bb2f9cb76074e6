import { DELETED, SYSTEM_FLAGS } from '#model/mailbox.ts'
import { readDate } from './date.ts'
import { systemFlagBit } from './flags.ts'
import { readSequenceSet } from './sequence-set.ts'
import type { Scanner } from './scanner.ts'
import type { SequenceSet } from './sequence-set.ts'

interface DayKey {
  readonly relation: 'before' | 'on' | 'since'
  /** The day's first ms in UTC. */
  readonly dayMs: number
}

/** One key of SEARCH (RFC 9051 §6.4.4); texts are one character an octet, in the command's charset. */
export type SearchKey =
  | { readonly kind: 'all' | 'none' }
  | { readonly kind: 'flag'; readonly bit: number; readonly on: boolean }
  | { readonly kind: 'keyword'; readonly keyword: string; readonly on: boolean }
  | { readonly kind: 'sequence' | 'uid'; readonly set: SequenceSet }
  | ({ readonly kind: 'internalDay' } & DayKey)
  | ({ readonly kind: 'sentDay' } & DayKey)
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

export type SearchReturn = 'min' | 'max' | 'all' | 'count'

export interface SearchProgram {
  /** Undefined: the old untagged SEARCH; empty stands for ALL (RFC 4731 §3.1). */
  readonly results?: readonly SearchReturn[]
  readonly charset?: string
  readonly key: SearchKey
}

/** Keys of one command: more cost more than a person ever asks. */
const KEYS_MAX = 2_000

/** Reads all after `SEARCH`: `[RETURN (…)] [CHARSET name] key …`. */
export function readSearch(scanner: Scanner): SearchProgram {
  scanner.space()
  const results = upcoming(scanner, 'RETURN ') ? readReturn(scanner) : undefined
  if (results !== undefined) scanner.space()
  let charset: string | undefined
  if (upcoming(scanner, 'CHARSET ')) {
    scanner.position += 'CHARSET '.length
    charset = scanner.astring()
    scanner.space()
  }
  return {
    key: readSearchKeys(scanner),
    ...(results === undefined ? {} : { results }),
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

function readReturn(scanner: Scanner): SearchReturn[] {
  scanner.position += 'RETURN '.length
  return scanner.list(() => {
    switch (scanner.word()) {
      case 'MIN':
        return 'min'
      case 'MAX':
        return 'max'
      case 'ALL':
        return 'all'
      case 'COUNT':
        return 'count'
      default:
        return scanner.fail('Unknown search result option')
    }
  })
}

type Reader = (scanner: Scanner, keys: KeyReader) => SearchKey

const flagKey =
  (name: string, on: boolean): Reader =>
  () => ({ kind: 'flag', bit: systemFlagBit(name) ?? DELETED, on })

const dayKey =
  (kind: 'internalDay' | 'sentDay', relation: 'before' | 'on' | 'since'): Reader =>
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

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['ALL', () => ({ kind: 'all' })],
  // \Recent is no more (RFC 9051 appendix E): nothing is recent, all is old.
  ['RECENT', () => ({ kind: 'none' })],
  ['NEW', () => ({ kind: 'none' })],
  ['OLD', () => ({ kind: 'all' })],
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
  ['UID', (s) => ({ kind: 'uid', set: argument(s, readSequenceSet) })],
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
    if (/[\d*]/.test(scanner.peek())) return { kind: 'sequence', set: readSequenceSet(scanner) }
    const read = READERS.get(scanner.word()) ?? scanner.fail('Unknown search key')
    return scanner.nested(() => read(scanner, this))
  }
}
