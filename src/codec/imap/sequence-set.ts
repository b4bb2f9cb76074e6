import { NUMBER_MAX } from './scanner.ts'
import type { Scanner } from './scanner.ts'

/** `*` in a set: the greatest number in use. */
export const STAR = NUMBER_MAX + 1

/** Ranges as they came; either end may be STAR. */
export type SequenceSet = readonly (readonly [number, number])[]

/** Also `$`: what the last SEARCH with SAVE found (RFC 5182 §2.1). */
export type MessageSet = SequenceSet | 'saved'

export const readMessageSet = (scanner: Scanner): MessageSet =>
  scanner.skip('$') ? 'saved' : readSequenceSet(scanner)

/** Ascending ranges that neither overlap nor touch. */
export type Ranges = readonly (readonly [from: number, to: number])[]

/** Reads `1,3:5,7:*` (RFC 9051 §9 sequence-set). */
export function readSequenceSet(scanner: Scanner): SequenceSet {
  const end = (): number => {
    if (scanner.skip('*')) return STAR
    const value = scanner.number()
    return value > 0 ? value : scanner.fail('Zero in a sequence set')
  }
  const ranges: (readonly [number, number])[] = []
  do {
    const from = end()
    ranges.push([from, scanner.skip(':') ? end() : from])
  } while (scanner.skip(','))
  return ranges
}

/** The set with `*` for `max`, sorted and merged, so that `1:*,1:*,…` costs what `1:*` does. */
export function resolveSet(set: SequenceSet, max: number): Ranges {
  const ends = (value: number): number => (value === STAR ? max : value)
  const sorted = set
    .map(([a, b]): [number, number] => {
      const [from, to] = [ends(a), ends(b)]
      return from <= to ? [from, to] : [to, from]
    })
    .filter(([, to]) => to > 0)
    .toSorted((a, b) => a[0] - b[0])
  const merged: [number, number][] = []
  for (const range of sorted) {
    const last = merged.at(-1)
    if (last === undefined || range[0] > last[1] + 1) merged.push(range)
    else if (range[1] > last[1]) last[1] = range[1]
  }
  return merged
}

export function inRanges(ranges: Ranges, value: number): boolean {
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [from, to] = ranges[middle]!
    if (value < from) high = middle - 1
    else if (value > to) low = middle + 1
    else return true
  }
  return false
}

/** Ascending numbers as `1:3,5`. */
export function formatSet(numbers: Iterable<number>): string {
  const parts: string[] = []
  let from = -1
  let last = -1
  const flush = (): void => {
    if (from >= 0) parts.push(from === last ? String(from) : `${from}:${last}`)
  }
  for (const value of numbers) {
    if (value !== last + 1 || from < 0) {
      flush()
      from = value
    }
    last = value
  }
  flush()
  return parts.join(',')
}
