import { assertNever } from '#base/outcome.ts'
import { asciiLower } from '#base/text.ts'

import type { Arguments } from './arguments.ts'
import { COMPARATORS, numberOrder, related, RELATIONS } from './compare.ts'
import type { SieveComparator, SieveRelation } from './compare.ts'
import { matchGlob, parseGlob } from './glob.ts'
import { endRun, fail, failMissing } from './language.ts'
import type { SieveTexts } from './language.ts'
import { parseRegex } from './regex/parse.ts'
import { searchRegex } from './regex/search.ts'
import type { SieveRun } from './run.ts'
import { MATCHED_MAX } from './variables.ts'

/** Match types, with what must be required for them. */
const TYPES = {
  is: undefined,
  contains: undefined,
  matches: undefined,
  value: 'relational',
  count: 'relational',
  regex: 'regex',
  list: 'extlists',
} as const
type MatchKind = keyof typeof TYPES
const KINDS = Object.keys(TYPES) as readonly MatchKind[]

type MatchType =
  | { readonly kind: Exclude<MatchKind, 'value' | 'count'> }
  | { readonly kind: 'value' | 'count'; readonly relation: SieveRelation }

/** Compares values with keys: true where one of those meets one of these. */
export interface SieveMatcher {
  (run: SieveRun, values: readonly string[], keys: readonly string[]): boolean
  readonly kind: MatchKind
}

/** A key, made ready: true where the value, folded too, meets it. */
type Key = (run: SieveRun, value: string, folded: string) => boolean

/** Characters of value times characters of key that cost a step. */
const WORK_PER_STEP = 8_192

/**
 * Takes comparator and match type, with their defaults (RFC 5228 §2.7, RFC 5231). `isQuiet`: a match sets no
 * variables.
 */
export function takeMatch(args: Arguments, isQuiet = false): SieveMatcher {
  if (args.stands('list') && args.stands('comparator'))
    fail('a list compares in a way of its own: :list takes no :comparator')
  const comparator = comparatorOf(args)
  const type = typeOf(args, comparator)
  const sets = !isQuiet && args.has('variables')
  const ready = (keys: readonly string[]) => readyKeys(keys, { comparator, type, sets })
  let known: readonly string[] | undefined
  let made: ReturnType<typeof readyKeys> | undefined
  const match = (run: SieveRun, values: readonly string[], keys: readonly string[]): boolean => {
    run.step(values.length)
    if (type.kind === 'count') {
      const count = String(values.length)
      return keys.some((key) => related(numberOrder(count, key), type.relation))
    }
    // Constant keys are the same array at each run: they are made ready once.
    if (made === undefined || keys !== known) {
      made = ready(keys)
      known = keys
    }
    const { exact, others } = made
    return values.some((value) => {
      const folded = comparator.fold(value)
      if (exact?.has(folded) === true) return true
      return others.some((key) => key(run, value, folded))
    })
  }
  return Object.assign(match, { kind: type.kind })
}

/** A test of one comparison. */
export const compared =
  (match: SieveMatcher, keys: SieveTexts, values: (run: SieveRun) => readonly string[]) =>
  (run: SieveRun): boolean =>
    match(run, values(run), keys.of(run))

/** What a pattern that is known now has wrong is told now. */
function checkKeys(match: SieveMatcher, keys: SieveTexts): SieveTexts {
  if (match.kind !== 'regex') return keys
  for (const key of keys.constant ?? []) {
    const parsed = parseRegex(key)
    if (!parsed.ok) fail(`the regular expression "${key}": ${parsed.error}`)
  }
  return keys
}

/** Takes the keys of a match. */
export const takeKeys = (args: Arguments, match: SieveMatcher): SieveTexts =>
  checkKeys(match, args.texts('keys'))

interface How {
  readonly comparator: SieveComparator
  readonly type: MatchType
  readonly sets: boolean
}

function readyKeys(
  keys: readonly string[],
  how: How,
): { readonly exact: ReadonlySet<string> | undefined; readonly others: readonly Key[] } {
  const { comparator, type } = how
  if (type.kind === 'is' && comparator.hasSubstrings)
    return { exact: new Set(keys.map(comparator.fold)), others: [] }
  return { exact: undefined, others: keys.map((key) => readyKey(key, how)) }
}

function readyKey(key: string, how: How): Key {
  const { comparator, type } = how
  const folded = comparator.fold(key)
  switch (type.kind) {
    case 'is':
      return (_, value) => comparator.order(value, key) === 0
    case 'contains':
      return (run, _, text) => {
        run.step((text.length * folded.length) / WORK_PER_STEP)
        return text.includes(folded)
      }
    case 'matches':
      return wildcardKey(folded, how)
    case 'regex':
      return regexKey(key, how)
    case 'list':
      return (run, value) => {
        if (!run.isListed(key, value)) return false
        // Nothing stands in place of a wildcard: what was listed is all there is to tell.
        if (how.sets) run.variables.matched = [value]
        return true
      }
    case 'value':
      return (_, __, text) => related(comparator.order(text, folded), type.relation)
    case 'count':
      return () => false
    default:
      return assertNever(type)
  }
}

function wildcardKey(folded: string, { sets }: How): Key {
  const glob = parseGlob(folded)
  return (run, value, text) => {
    run.step((text.length * folded.length) / WORK_PER_STEP)
    const places = matchGlob(glob, text)
    if (places === undefined) return false
    // Where folding has changed lengths, what was matched is told folded.
    const source = value.length === text.length ? value : text
    if (sets)
      run.variables.matched = [
        source,
        ...places.slice(0, MATCHED_MAX - 1).map(([from, to]) => source.slice(from, to)),
      ]
    return true
  }
}

function regexKey(key: string, { comparator, sets }: How): Key {
  const parsed = parseRegex(key)
  if (!parsed.ok) return () => endRun(`the regular expression "${key}": ${parsed.error}`)
  const isExact = comparator.name === 'i;octet'
  return (run, value) => {
    const groups = searchRegex(parsed.value, value, {
      ignoresCase: isExact ? 'never' : comparator.name === 'i;ascii-casemap' ? 'ascii' : 'unicode',
      step: (count) => run.step(count),
    })
    if (groups === undefined) return false
    if (sets) run.variables.matched = groups.slice(0, MATCHED_MAX)
    return true
  }
}

function typeOf(args: Arguments, comparator: SieveComparator): MatchType {
  const standing = KINDS.filter((kind) => args.stands(kind))
  if (standing.length > 1) fail(`:${standing[0]} and :${standing[1]} exclude one another`)
  const kind = standing[0] ?? 'is'
  const needed = TYPES[kind]
  if (kind === 'value' || kind === 'count') {
    if (needed !== undefined) args.needs(needed)
    const relation = args.tagConstant(kind) as SieveRelation
    if (!RELATIONS.includes(relation)) fail(`there is no relation "${relation}"`)
    return { kind, relation }
  }
  args.flag(kind, needed)
  const isOfTexts = kind === 'contains' || kind === 'matches' || kind === 'regex'
  if (isOfTexts && !comparator.hasSubstrings) fail(`:${kind} cannot compare numbers`) // RFC 4790 §9.1: equality and order only
  return { kind }
}

function comparatorOf(args: Arguments): SieveComparator {
  const name = asciiLower(args.tagConstant('comparator') ?? 'i;ascii-casemap')
  const comparator = COMPARATORS.find((each) => each.name === name)
  if (comparator === undefined) failMissing(`there is no comparator "${name}"`)
  if (comparator.needs !== undefined) args.needs(comparator.needs)
  return comparator
}
