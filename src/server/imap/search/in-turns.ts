import type { Steps } from '#base/turns.ts'

/**
 * Work on a whole mailbox, piece by piece: at each `yield` others may get their turn. What is done
 * between two of them is some thousand rows at most, so that nobody waits for it as long as they notice.
 */
export type InTurns<T> = Steps<T>

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
