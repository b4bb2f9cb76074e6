/**
 * Work on a whole mailbox, piece by piece: at each `yield` others may get their turn. What is done
 * between two of them is some thousand rows at most, so that nobody waits for it as long as they notice.
 */
export type InTurns<T> = Generator<void, T>

/** Rows that are looked at between two turns of others. */
export const ROWS_PER_TURN = 2_048

/** Does the work to its end; `turn` lets others run, and throws where nobody wants it any more. */
export async function toItsEnd<T>(work: InTurns<T>, turn: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await turn()
  }
}

/** Each element, with a turn now and then. */
export function* eachInTurns<T>(list: Iterable<T>, look: (each: T) => void): InTurns<void> {
  let count = 0
  for (const each of list) {
    look(each)
    if (++count % ROWS_PER_TURN === 0) yield
  }
}

/** Sorted as by `toSorted`, which is stable. */
export function* sortedInTurns<T>(
  list: readonly T[],
  compare: (a: T, b: T) => number,
): InTurns<T[]> {
  let runs: T[][] = []
  for (let at = 0; at < list.length; at += ROWS_PER_TURN) {
    runs.push(list.slice(at, at + ROWS_PER_TURN).sort(compare))
    if (list.length > ROWS_PER_TURN) yield
  }
  while (runs.length > 1) {
    const merged: T[][] = []
    for (let i = 0; i < runs.length; i += 2)
      merged.push(
        i + 1 < runs.length ? yield* mergedInTurns(runs[i]!, runs[i + 1]!, compare) : runs[i]!,
      )
    runs = merged
  }
  return runs[0] ?? []
}

function* mergedInTurns<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
): InTurns<T[]> {
  const merged: T[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const isFirst = j === b.length || (i < a.length && compare(a[i]!, b[j]!) <= 0)
    merged.push(isFirst ? a[i++]! : b[j++]!)
    if (merged.length % ROWS_PER_TURN === 0) yield
  }
  return merged
}
