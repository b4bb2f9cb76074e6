/** A message of a thread with what follows it; without a row one that is missing. */
export interface ThreadNode {
  readonly row?: number
  readonly children: readonly ThreadNode[]
}

/**
 * Threads as `(1 2 (3)(4 5))` (RFC 5256 §4), piece by piece: a lone child follows its parent, several
 * are in parentheses each, and so are children of what is missing. Of any depth.
 */
export function* threadText(
  threads: readonly ThreadNode[],
  numberOf: (row: number) => number,
): Generator<string> {
  type Step = string | ThreadNode
  for (const thread of threads) {
    const steps: Step[] = [')', thread, '(']
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      if (typeof step === 'string') {
        yield step
        continue
      }
      const { row, children } = step
      if (row !== undefined) yield `${numberOf(row)}`
      if (children.length === 0) continue
      if (row !== undefined) yield ' '
      if (row !== undefined && children.length === 1) steps.push(children[0]!)
      else for (const child of children.toReversed()) steps.push(')', child, '(')
    }
  }
}
