import type { Arguments } from './arguments.ts'
import { matches } from './compare.ts'
import type { SieveComparator, SieveMatch, SieveRelation } from './compare.ts'
import { fail, failMissing } from './language.ts'
import type { SieveTexts } from './language.ts'
import type { SieveRun } from './run.ts'

const RELATIONS = ['gt', 'ge', 'lt', 'le', 'eq', 'ne'] as const
/** Comparators, with what must be required for one beside the two of RFC 5228 §2.7.3. */
const COMPARATORS: Readonly<Record<SieveComparator, string | undefined>> = {
  'i;octet': undefined,
  'i;ascii-casemap': undefined,
  'i;ascii-numeric': 'comparator-i;ascii-numeric',
}

/** Compares values with keys: true where one of those meets one of these. */
export type SieveMatcher = (
  run: SieveRun,
  values: readonly string[],
  keys: readonly string[],
) => boolean

/** Takes comparator and match type, with their defaults (RFC 5228 §2.7, RFC 5231). */
export function takeMatch(args: Arguments): SieveMatcher {
  const match = matchOf(args)
  return (run, values, keys) => {
    run.step(values.length)
    return matches(match, values, keys)
  }
}

/** A test of one comparison: its keys are taken last. */
export const compared =
  (match: SieveMatcher, keys: SieveTexts, values: (run: SieveRun) => readonly string[]) =>
  (run: SieveRun): boolean =>
    match(run, values(run), keys.of(run))

function matchOf(args: Arguments): SieveMatch {
  const comparator = comparatorOf(args)
  const kinds = ['is', 'contains', 'matches', 'value', 'count'] as const
  const standing = kinds.filter((kind) => args.stands(kind))
  if (standing.length > 1) fail(`:${standing[0]} and :${standing[1]} exclude one another`)
  const kind = standing[0] ?? 'is'
  if (kind === 'value' || kind === 'count') {
    args.needs('relational')
    const relation = args.tagConstant(kind) as SieveRelation
    if (!RELATIONS.includes(relation)) fail(`there is no relation "${relation}"`)
    return { comparator, type: { kind, relation } }
  }
  args.flag(kind)
  if (comparator === 'i;ascii-numeric' && kind !== 'is') fail(`:${kind} cannot compare numbers`) // RFC 4790 §9.1: equality and order only
  return { comparator, type: { kind } }
}

function comparatorOf(args: Arguments): SieveComparator {
  const name = args.tagConstant('comparator') ?? 'i;ascii-casemap'
  if (!Object.hasOwn(COMPARATORS, name)) failMissing(`there is no comparator "${name}"`)
  const comparator = name as SieveComparator
  const needed = COMPARATORS[comparator]
  if (needed !== undefined) args.needs(needed)
  return comparator
}
