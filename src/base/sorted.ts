import type { Steps } from './turns.ts'

/** Put in order, or gone through, between two turns of others. */
const AT_ONCE = 1_024

/** Sorted as by `toSorted`, which is stable. */
export function* sortedInSteps<T>(list: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  let runs: T[][] = []
  for (let at = 0; at < list.length; at += AT_ONCE) {
    runs.push(list.slice(at, at + AT_ONCE).sort(compare))
    if (list.length > AT_ONCE) yield
  }
  while (runs.length > 1) {
    const longer: T[][] = []
    for (let i = 0; i < runs.length; i += 2)
      longer.push(i + 1 < runs.length ? yield* merged(runs[i]!, runs[i + 1]!, compare) : runs[i]!)
    runs = longer
  }
  return runs[0] ?? []
}

function* merged<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  const all: T[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const isFirst = j === b.length || (i < a.length && compare(a[i]!, b[j]!) <= 0)
    all.push(isFirst ? a[i++]! : b[j++]!)
    if (all.length % AT_ONCE === 0) yield
  }
  return all
}
