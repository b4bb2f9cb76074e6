import { asciiLower } from '#base/text.ts'
import type { MailboxId } from '#model/mailbox.ts'
import { foldText, hasText } from '#codec/mime/fold-text.ts'
import { ENVELOPE_FIELDS } from '#codec/mime/message-texts.ts'
import type { SearchQuery, TextPlaceName } from '#store/search/query.ts'
import type { Decide } from '#store/search/text-search.ts'
import { isObject } from '#server/jmap/method/args.ts'
import { FLAG_KEYWORDS, isKeyword } from './emails.ts'
import type { EmailView } from './email-views.ts'
import { FILTER_CONDITIONS_MAX, FILTER_DEPTH_MAX } from '#server/jmap/limits.ts'
import { invalidArguments, MethodError } from '#server/jmap/method/method-error.ts'

/** What a row of a view tells, and what must be read. */
export interface Candidate {
  readonly view: EmailView
  readonly row: number
  /** All copies of the email among the views, where it has several. */
  copies?: readonly Candidate[]
}

/** Whether one of the email's copies is so. */
const some = (candidate: Candidate, test: (copy: Candidate) => boolean): boolean =>
  candidate.copies === undefined ? test(candidate) : candidate.copies.some(test)

/** Texts of a message, folded for comparing; what is undefined has not been read. */
export interface Texts {
  readonly fields?: Readonly<Record<FieldText, string>>
  readonly hasAttachment?: boolean
  /** Texts of its parts. */
  readonly body?: string
  /** Lower-case name and folded value of each field. */
  readonly header?: readonly (readonly [name: string, text: string])[]
  /** The emails of its thread have the keyword all, or some of them. */
  readonly thread?: (keyword: string) => { readonly all: boolean; readonly some: boolean }
}

export type FieldText = 'from' | 'to' | 'cc' | 'bcc' | 'subject'
export type Need = 'fields' | 'body' | 'header' | 'thread'

/** True, false, or what must be read to tell. */
type Test = (candidate: Candidate, texts: Texts) => boolean | Need

export interface Filter {
  readonly test: Test
  /** The mailbox that all results lie in, where there is one. */
  readonly mailboxId: MailboxId | undefined
  /** True where nothing else is asked than that mailbox. */
  readonly isMailboxOnly: boolean
  /** Texts that are searched for, as they came. */
  readonly terms: readonly string[]
  /** Parts that the search index can decide. */
  readonly oracles: readonly Oracle[]
}

/** A part that asks for texts only, with what the index says of it. */
export interface Oracle {
  readonly query: SearchQuery
  decide: Decide | undefined
}

/** Compiles a filter (RFC 8621 §4.4.1); undefined matches all. Ends the call for what is none. */
export function compileFilter(given: unknown): Filter {
  const state: State = { conditions: 0, terms: [], oracles: [] }
  if (given === undefined || given === null)
    return { test: () => true, mailboxId: undefined, isMailboxOnly: false, terms: [], oracles: [] }
  const { terms, oracles } = state
  const test = asked(compile(given, state, 0), state)
  const isMailboxOnly = isObject(given) && Object.keys(given).join() === 'inMailbox'
  return { test, mailboxId: mailboxOf(given), isMailboxOnly, terms, oracles }
}

interface State {
  conditions: number
  readonly terms: string[]
  readonly oracles: Oracle[]
}

/** A test, and what the index is asked for it where it asks for texts only. */
interface Compiled {
  readonly test: Test
  readonly query?: SearchQuery | undefined
}

/** The test with the index's word before it. */
function asked({ test, query }: Compiled, state: State): Test {
  if (query === undefined) return test
  const oracle: Oracle = { query, decide: undefined }
  state.oracles.push(oracle)
  return (candidate, texts) =>
    oracle.decide?.(candidate.view.emails[candidate.row]!) ?? test(candidate, texts)
}

/** Conditions that ask for texts only are asked for together. */
function joined(kind: 'and' | 'or', parts: readonly Compiled[], state: State): Compiled {
  const join = kind === 'and' ? allOf : anyOf
  const queries = parts.flatMap(({ query }) => query ?? [])
  const test = join(parts.map((part) => part.test))
  if (queries.length === parts.length) return { test, query: { kind, queries } }
  const others = parts.filter(({ query }) => query === undefined)
  const texts = parts.filter(({ query }) => query !== undefined)
  if (texts.length === 0) return { test }
  const grouped = asked(
    { test: join(texts.map((part) => part.test)), query: { kind, queries } },
    state,
  )
  return { test: join([...others.map((part) => part.test), grouped]) }
}

function compile(given: unknown, state: State, depth: number): Compiled {
  if (!isObject(given)) throw invalidArguments('a filter is an object')
  if (depth > FILTER_DEPTH_MAX || ++state.conditions > FILTER_CONDITIONS_MAX)
    throw new MethodError('unsupportedFilter', 'The filter has too many conditions')
  const { operator, conditions } = given
  if (operator === undefined) return condition(given, state)
  if (!Array.isArray(conditions) || !['AND', 'OR', 'NOT'].includes(operator as string))
    throw invalidArguments('an operator is AND, OR or NOT, with conditions')
  const parts = (conditions as unknown[]).map((each) => compile(each, state, depth + 1))
  if (operator === 'AND') return joined('and', parts, state)
  const any = joined('or', parts, state)
  if (operator === 'OR') return any
  // NOT is true where none of its conditions is.
  return { test: not(any.test), ...(any.query && { query: { kind: 'not', query: any.query } }) }
}

const allOf =
  (tests: readonly Test[]): Test =>
  (candidate, texts) => {
    let open: boolean | Need = true
    for (const test of tests) {
      const result = test(candidate, texts)
      if (result === false) return false
      if (result !== true && open === true) open = result
    }
    return open
  }

const not =
  (test: Test): Test =>
  (candidate, texts) => {
    const result = test(candidate, texts)
    return typeof result === 'boolean' ? !result : result
  }

const anyOf = (tests: readonly Test[]): Test => not(allOf(tests.map(not)))

function condition(given: Record<string, unknown>, state: State): Compiled {
  const parts = Object.entries(given).map(([name, value]) => {
    const make = Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name] : undefined
    if (make === undefined)
      throw new MethodError('unsupportedFilter', `no condition is called ${name.slice(0, 100)}`)
    if (typeof value === 'string' && TEXT_CONDITIONS.has(name)) state.terms.push(value)
    return { test: make(value, name), query: QUERIES[name]?.(value) }
  })
  return joined('and', parts, state)
}

type Make = (value: unknown, name: string) => Test

/** What the index is asked for a condition; its value was looked at. */
const QUERIES: Readonly<Record<string, ((value: unknown) => SearchQuery) | undefined>> = {
  ...Object.fromEntries(
    ENVELOPE_FIELDS.map((field) => [field, (value: unknown) => wordsIn(value, [field])]),
  ),
  body: (value) => wordsIn(value, ['body']),
  text: (value) => wordsIn(value, [...ENVELOPE_FIELDS, 'body']),
  header: (value) => {
    const [field, text = ''] = value as string[]
    return { kind: 'field', name: asciiLower(field!), term: foldText(text) }
  },
}

const wordsIn = (value: unknown, places: readonly TextPlaceName[]): SearchQuery => ({
  kind: 'and',
  queries: wordsOf(value as string).map((term) => ({ kind: 'text', places, term })),
})

const TEXT_CONDITIONS = new Set(['text', 'from', 'to', 'cc', 'bcc', 'subject', 'body'])

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalidArguments(`${name} is not a String`)
  return value
}

function dateOf(value: unknown, name: string): number {
  const isDate =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value)
  const atMs = isDate ? Date.parse(value) : Number.NaN
  if (Number.isNaN(atMs)) throw invalidArguments(`${name} is not a UTCDate`)
  return atMs
}

function countOf(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw invalidArguments(`${name} is not an UnsignedInt`)
  return value as number
}

/** Each word of it somewhere: what people expect of a search field. A quoted phrase is one word. Folded. */
export const wordsOf = (text: string): string[] =>
  Array.from(text.matchAll(/"([^"]+)"|(\S+)/g), (match) => foldText(match[1] ?? match[2]!))

const hasAll = (text: string, words: readonly string[]): boolean =>
  words.every((word) => hasText(text, word))

const fieldTest =
  (field: FieldText): Make =>
  (value, name) => {
    const words = wordsOf(textOf(value, name))
    return (_, { fields }) => (fields === undefined ? 'fields' : hasAll(fields[field], words))
  }

const bodyTest: Make = (value, name) => {
  const words = wordsOf(textOf(value, name))
  return (_, { body }) => (body === undefined ? 'body' : hasAll(body, words))
}

const textTest: Make = (value, name) => {
  const words = wordsOf(textOf(value, name))
  return (_, { fields, body }) => {
    if (fields === undefined) return 'fields'
    const { from, to, cc, bcc, subject } = fields
    const head = `${subject}\n${from}\n${to}\n${cc}\n${bcc}`
    if (hasAll(head, words)) return true
    return body === undefined ? 'body' : hasAll(`${head}\n${body}`, words)
  }
}

/** Whether the row has a keyword, by its mailbox's slots. */
function keywordTest(value: unknown, name: string): (candidate: Candidate) => boolean {
  if (typeof value !== 'string' || !isKeyword(value))
    throw invalidArguments(`${name} is no keyword`)
  const keyword = asciiLower(value)
  const known = FLAG_KEYWORDS.find(([other]) => other === keyword)
  const has = ({ view, row }: Candidate): boolean => {
    if (known !== undefined) return (view.flags[row]! & known[1]) !== 0
    const slot = view.mailbox.keywords.findIndex((other) => asciiLower(other) === keyword)
    return slot >= 0 && Math.floor(view.flags[row]! / 2 ** (5 + slot)) % 2 === 1
  }
  return (candidate) => some(candidate, has)
}

const threadTest =
  (which: 'all' | 'some'): Make =>
  (value, name) => {
    if (typeof value !== 'string' || !isKeyword(value))
      throw invalidArguments(`${name} is no keyword`)
    const keyword = asciiLower(value)
    return (_, { thread }) => (thread === undefined ? 'thread' : thread(keyword)[which])
  }

const CONDITIONS: Readonly<Record<string, Make>> = {
  inMailbox: (value, name) => {
    if (typeof value !== 'string') throw invalidArguments(`${name} is not an Id`)
    return (candidate) => some(candidate, ({ view }) => view.mailbox.id === value)
  },
  inMailboxOtherThan: (value, name) => {
    if (!Array.isArray(value)) throw invalidArguments(`${name} is not a list of Ids`)
    const ids = new Set(value as unknown[])
    return (candidate) => some(candidate, ({ view }) => !ids.has(view.mailbox.id))
  },
  before: (value, name) => {
    const atMs = dateOf(value, name)
    return ({ view, row }) => view.datesMs[row]! < atMs
  },
  after: (value, name) => {
    const atMs = dateOf(value, name)
    return ({ view, row }) => view.datesMs[row]! >= atMs
  },
  minSize: (value, name) => {
    const bytes = countOf(value, name)
    return ({ view, row }) => view.sizes[row]! >= bytes
  },
  maxSize: (value, name) => {
    const bytes = countOf(value, name)
    return ({ view, row }) => view.sizes[row]! < bytes
  },
  hasKeyword: (value, name) => keywordTest(value, name),
  notKeyword: (value, name) => {
    const has = keywordTest(value, name)
    return (candidate) => !has(candidate)
  },
  allInThreadHaveKeyword: threadTest('all'),
  someInThreadHaveKeyword: threadTest('some'),
  noneInThreadHaveKeyword: (value, name) => not(threadTest('some')(value, name)),
  hasAttachment: (value, name) => {
    if (typeof value !== 'boolean') throw invalidArguments(`${name} is not a Boolean`)
    return (_, { hasAttachment }) =>
      hasAttachment === undefined ? 'fields' : hasAttachment === value
  },
  text: textTest,
  from: fieldTest('from'),
  to: fieldTest('to'),
  cc: fieldTest('cc'),
  bcc: fieldTest('bcc'),
  subject: fieldTest('subject'),
  body: bodyTest,
  header: (value, name) => {
    const [field, text, ...more] = Array.isArray(value) ? (value as unknown[]) : []
    if (typeof field !== 'string' || more.length > 0)
      throw invalidArguments(`${name} is a list of a name and, where wanted, a text`)
    const key = asciiLower(field)
    const wanted = text === undefined ? '' : foldText(textOf(text, name))
    return (_, { header }) =>
      header === undefined
        ? 'header'
        : header.some(([other, value_]) => other === key && hasText(value_, wanted))
  },
}

/** The mailbox that the filter confines all results to. */
function mailboxOf(given: unknown): MailboxId | undefined {
  if (!isObject(given)) return undefined
  if (typeof given['inMailbox'] === 'string') return given['inMailbox'] as MailboxId
  if (given['operator'] !== 'AND' || !Array.isArray(given['conditions'])) return undefined
  for (const each of given['conditions'] as unknown[]) {
    const found = mailboxOf(each)
    if (found !== undefined) return found
  }
  return undefined
}
