import { Fault } from './outcome.ts'
import type { FaultCode } from './outcome.ts'
import type { Clock } from './time.ts'

/** The promise's end, or a Fault of `code` once `timeoutMs` have passed; the work itself goes on. */
export function withDeadline<T>(
  work: Promise<T>,
  wait: {
    readonly clock: Clock
    readonly timeoutMs: number
    readonly what: string
    readonly code?: FaultCode
  },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = wait.clock.after(wait.timeoutMs, () =>
      reject(new Fault(wait.code ?? 'timeout', `${wait.what}: no answer in ${wait.timeoutMs} ms`)),
    )
    work.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (cause: unknown) => {
        cancel()
        reject(cause instanceof Error ? cause : new Error(String(cause)))
      },
    )
  })
}

/** Where somebody waits: behind all others, or before those who are no known ones. */
export type Turn = 'first' | 'last'

/** At most `limit` at work at once; the others wait in order, at most `waitingMax` of each turn. */
export class Semaphore {
  #free: number
  readonly #waiting: Readonly<Record<Turn, (() => void)[]>> = { first: [], last: [] }
  readonly #waitingMax: number
  constructor(limit: number, waitingMax = Number.POSITIVE_INFINITY) {
    this.#free = limit
    this.#waitingMax = waitingMax
  }
  /** Runs `work` when a place is free. Throws Fault `limit` where too many wait already. */
  async run<T>(work: () => Promise<T>, turn: Turn = 'last'): Promise<T> {
    if (this.#free > 0) this.#free--
    else {
      const line = this.#waiting[turn]
      if (line.length >= this.#waitingMax) throw new Fault('limit', 'too many requests are waiting')
      await new Promise<void>((resolve) => line.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.first.shift() ?? this.#waiting.last.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
