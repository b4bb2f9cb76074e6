import type { Args } from './args.ts'
import { isObject } from './args.ts'
import {
  FILTER_CONDITIONS_MAX,
  FILTER_DEPTH_MAX,
  SORT_COMPARATORS_MAX,
} from '#server/jmap/limits.ts'
import { invalidArguments, MethodError } from './method-error.ts'
import type { Answer } from '#server/jmap/room.ts'

export const QUERY_ARGS = [
  'filter',
  'sort',
  'position',
  'anchor',
  'anchorOffset',
  'limit',
  'calculateTotal',
] as const

export const QUERY_CHANGES_ARGS = [
  'filter',
  'sort',
  'sinceQueryState',
  'maxChanges',
  'upToId',
  'calculateTotal',
] as const

export type Test<T> = (each: T) => boolean

/** One condition's test; undefined for a name that there is none of. Throws MethodError for a wrong value. */
export type Conditions<T> = (name: string, value: unknown) => Test<T> | undefined

/** A filter of RFC 8620 §5.5 over `conditions`. Throws MethodError. */
export function readFilter<T>(given: unknown, conditions: Conditions<T>): Test<T> {
  let count = 0
  const read = (filter: unknown, depth: number): Test<T> => {
    if (!isObject(filter)) throw invalidArguments('a filter is an object')
    if (depth > FILTER_DEPTH_MAX || ++count > FILTER_CONDITIONS_MAX)
      throw new MethodError('unsupportedFilter', 'the filter is too large')
    if (filter['operator'] === undefined) return readCondition(filter, conditions)
    const { operator, conditions: list } = filter
    if (!Array.isArray(list)) throw invalidArguments('an operator has a list of conditions')
    const tests = (list as unknown[]).map((each) => read(each, depth + 1))
    if (operator === 'AND') return (each) => tests.every((test) => test(each))
    if (operator === 'OR') return (each) => tests.some((test) => test(each))
    if (operator === 'NOT') return (each) => !tests.some((test) => test(each))
    throw invalidArguments('an operator is AND, OR or NOT')
  }
  return given === undefined ? () => true : read(given, 0)
}

function readCondition<T>(
  filter: Readonly<Record<string, unknown>>,
  conditions: Conditions<T>,
): Test<T> {
  const tests = Object.entries(filter).map(([name, value]) => {
    const test = conditions(name, value)
    if (test === undefined)
      throw new MethodError('unsupportedFilter', `no condition like ${name.slice(0, 100)}`)
    return test
  })
  return (each) => tests.every((test) => test(each))
}

export type Compare<T> = (a: T, b: T) => number

/** A sort of RFC 8620 §5.5 by one of `compares`; what they leave equal stays in order. Throws MethodError. */
export function readSort<T>(
  list: readonly unknown[],
  compares: Readonly<Record<string, Compare<T>>>,
): Compare<T> {
  if (list.length > SORT_COMPARATORS_MAX)
    throw new MethodError('unsupportedSort', `At most ${SORT_COMPARATORS_MAX} comparators`)
  const keys = list.map((each): Compare<T> => {
    if (!isObject(each) || typeof each['property'] !== 'string')
      throw invalidArguments('a comparator has a property')
    const { property, isAscending = true, collation = null } = each
    if (typeof isAscending !== 'boolean') throw invalidArguments('isAscending is not a Boolean')
    const compare = Object.hasOwn(compares, property) ? compares[property] : undefined
    if (compare === undefined || collation !== null)
      throw new MethodError('unsupportedSort', `sorts: ${Object.keys(compares).join(', ')}`)
    return isAscending ? compare : (a, b) => compare(b, a)
  })
  return (a, b) => {
    for (const compare of keys) {
      const result = compare(a, b)
      if (result !== 0) return result
    }
    return 0
  }
}

/** The window of all results that is asked for (RFC 8620 §5.5). */
export interface Window {
  /** Negative: from the end. It is not looked at where there is an anchor. */
  readonly position: number
  readonly anchor: string | undefined
  readonly anchorOffset: number
  readonly limit: number
  readonly calculateTotal: boolean
}

export function windowAsk(args: Args, limitMax = Number.MAX_SAFE_INTEGER): Window {
  return {
    position: args.int('position') ?? 0,
    anchor: args.id('anchor'),
    anchorOffset: args.int('anchorOffset') ?? 0,
    limit: Math.min(args.count('limit') ?? limitMax, limitMax),
    calculateTotal: args.flag('calculateTotal'),
  }
}

/** Ids of all results in order, each made when it is asked for. */
interface Results {
  readonly length: number
  readonly at: (index: number) => string
}

/** What the window shows of them. Throws MethodError `anchorNotFound`. */
export function shownIn(
  window: Window,
  { length, at }: Results,
): { readonly position: number; readonly ids: readonly string[]; readonly total?: number } {
  let position = window.position < 0 ? Math.max(0, length + window.position) : window.position
  if (window.anchor !== undefined) {
    let index = 0
    while (index < length && at(index) !== window.anchor) index++
    if (index === length) throw new MethodError('anchorNotFound')
    position = Math.max(0, index + window.anchorOffset)
  }
  const ids: string[] = []
  for (let i = position; i < Math.min(length, position + window.limit); i++) ids.push(at(i))
  return { position, ids, ...(window.calculateTotal ? { total: length } : {}) }
}

/** The same of a list. */
export const readWindow = (args: Args, all: readonly string[]): Answer =>
  shownIn(windowAsk(args), { length: all.length, at: (index) => all[index]! })

export function sinceQueryState(args: Args): string {
  const since = args.string('sinceQueryState')
  if (since === undefined) throw invalidArguments('sinceQueryState is missing')
  return since
}

/**
 * What became of a query's results (RFC 8620 §5.6): whatever may have changed its place is removed,
 * and added where it stands now. Throws MethodError `tooManyChanges`.
 */
export function queryChanges(
  args: Args,
  ask: {
    readonly oldState: string
    readonly newState: string
    /** Of what came, changed or went since; `wasThere` where it can have been a result before. */
    readonly touched: ReadonlyMap<string, { readonly wasThere: boolean }>
    /** All results of now. */
    readonly all: readonly string[]
  },
): Answer {
  const { touched, all } = ask
  const removed = Array.from(touched)
    .filter(([, { wasThere }]) => wasThere)
    .map(([id]) => id)
  const added: { readonly id: string; readonly index: number }[] = []
  if (touched.size > 0)
    for (const [index, id] of all.entries()) if (touched.has(id)) added.push({ id, index })
  const changesMax = args.count('maxChanges') ?? Number.MAX_SAFE_INTEGER
  if (removed.length + added.length > changesMax) throw new MethodError('tooManyChanges')
  args.id('upToId') // results may depend on what can change: then it is ignored
  return {
    oldQueryState: ask.oldState,
    newQueryState: ask.newState,
    ...(args.flag('calculateTotal') ? { total: all.length } : {}),
    removed,
    added,
  }
}
