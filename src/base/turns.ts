import { setImmediate } from 'node:timers/promises'

/** Work between two turns: whoever else this process serves waits for so long at most. */
const SLICE_MS = 4

/** Long work in one process, cut so that others get their turn in between. */
export class Turns {
  #endsAtMs = performance.now() + SLICE_MS

  /** Asked between pieces of work that are far shorter than a slice; waits only where one is over. */
  get isOver(): boolean {
    return performance.now() >= this.#endsAtMs
  }

  /** What waits in the event loop goes first. */
  async next(): Promise<void> {
    await setImmediate()
    this.#endsAtMs = performance.now() + SLICE_MS
  }
}

/** Work that can be left alone for a while wherever it yields: between two yields it is far shorter than a slice. */
export type Steps<T> = Generator<undefined, T, undefined>

/** All of it in one go. */
export function atOnce<T>(work: Steps<T>): T {
  let step = work.next()
  while (step.done !== true) step = work.next()
  return step.value
}

/** All of it, while others get their turn in between: what it looks at may change meanwhile. */
export async function inSlices<T>(work: Steps<T>): Promise<T> {
  const turns = new Turns()
  let step = work.next()
  while (step.done !== true) {
    if (turns.isOver) await turns.next()
    step = work.next()
  }
  return step.value
}
