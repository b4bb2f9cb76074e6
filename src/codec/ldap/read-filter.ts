import type { Octets } from '#base/octets.ts'
import { BerReader, Malformed, context, contextOf } from './ber.ts'
import type { Filter } from './filter.ts'

/** What a search may be made of: a program's own are some ten items. */
const DEPTH_MAX = 50
const ITEMS_MAX = 200

/** A filter as a client sends it (RFC 4511 §4.5.1.7). Throws Malformed where it is none, or too much. */
export const readFilter = (parts: BerReader): Filter => readItem(parts, { items: 0 }, 1)

function readItem(parts: BerReader, count: { items: number }, depth: number): Filter {
  if (depth > DEPTH_MAX) throw new Malformed('the filter is nested too deeply')
  if (++count.items > ITEMS_MAX) throw new Malformed('the filter has too many parts')
  const { tag } = parts
  switch (tag) {
    case contextOf(0):
    case contextOf(1): {
      const list = parts.enter(tag)
      const filters: Filter[] = []
      while (!list.done) filters.push(readItem(list, count, depth + 1))
      return { kind: tag === contextOf(0) ? 'and' : 'or', filters } // empty ones: RFC 4526 §2
    }
    case contextOf(2):
      return { kind: 'not', filter: readItem(parts.enter(tag), count, depth + 1) }
    case contextOf(4):
      return readSubstrings(parts.enter(tag))
    case context(7):
      return { kind: 'present', type: parts.text(tag) }
    case contextOf(9):
      return readExtensible(parts.enter(tag))
    default: {
      const kind = COMPARISONS.get(tag ?? 0)
      if (kind === undefined) throw new Malformed('a filter of no kind')
      const assertion = parts.enter(tag)
      return { kind, type: assertion.text(), value: assertion.octets() }
    }
  }
}

const COMPARISONS: ReadonlyMap<number, 'equal' | 'atLeast' | 'atMost' | 'approximate'> = new Map([
  [contextOf(3), 'equal'],
  [contextOf(5), 'atLeast'],
  [contextOf(6), 'atMost'],
  [contextOf(8), 'approximate'],
])

function readSubstrings(parts: BerReader): Filter {
  const type = parts.text()
  const list = parts.enter()
  const any: Octets[] = []
  const initial = list.optional(context(0))
  while (list.tag === context(1)) any.push(list.octets(context(1)))
  const final = list.optional(context(2))
  if (!list.done || (initial === undefined && final === undefined && any.length === 0))
    throw new Malformed('a text in parts that are none')
  return {
    kind: 'substrings',
    type,
    any,
    ...(initial !== undefined && { initial }),
    ...(final !== undefined && { final }),
  }
}

function readExtensible(parts: BerReader): Filter {
  const rule = parts.tag === context(1) ? parts.text(context(1)) : undefined
  const type = parts.tag === context(2) ? parts.text(context(2)) : undefined
  const value = parts.octets(context(3))
  const ofDn = parts.tag === context(4) && parts.boolean(context(4))
  return {
    kind: 'extensible',
    value,
    ofDn,
    ...(rule !== undefined && { rule }),
    ...(type !== undefined && { type }),
  }
}
