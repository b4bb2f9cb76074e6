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
