/** What is run: `short` at once, `long` as soon as `ready`, and from then on before what is left of `short`. */
export interface Plan<T> {
  readonly long: readonly T[]
  readonly short: readonly T[]
  /** What `long` needs is there. */
  readonly ready: Promise<unknown>
  /** How many run at a time. */
  readonly width: number
  /** Further ones, one after another, as often as `idle` says that those which run leave room. */
  readonly extra?: {
    readonly width: number
    /** Resolves to false once `signal` tells that nobody waits any more. */
    readonly idle: (signal: AbortSignal) => Promise<boolean>
  }
}

/**
 * Runs `work` over all of a plan; results in the order in which they came. What is short fills the
 * time in which others are prepared, and at the end what the last of the long ones leave.
 */
export async function runPlan<T, R>(plan: Plan<T>, work: (item: T) => Promise<R>): Promise<R[]> {
  const long = [...plan.long]
  const short = [...plan.short]
  let isReady = false
  const ready = plan.ready.then(() => (isReady = true))
  ready.catch(() => undefined) // awaited below, by whoever has nothing short left
  const results: R[] = []
  const worker = async (mayBegin?: () => Promise<boolean>): Promise<void> => {
    for (;;) {
      if (mayBegin !== undefined && !(await mayBegin())) return
      if (long.length > 0 && short.length === 0) await ready
      const next = (isReady ? long.shift() : undefined) ?? short.shift()
      if (next !== undefined) results.push(await work(next))
      else if (long.length === 0) return
    }
  }
  const { width, extra } = plan
  const ended = new AbortController()
  let turn = Promise.resolve(true)
  // In turns, so that each is seen in what is idle before the next one begins.
  const idle = (): Promise<boolean> =>
    (turn = turn.then(() => !ended.signal.aborted && extra!.idle(ended.signal)))
  const extras = Array.from({ length: extra?.width ?? 0 }, () => worker(idle))
  const workers = Array.from({ length: width }, () => worker())
  const all = Promise.all(workers).finally(() => ended.abort())
  await Promise.all([all, ...extras])
  return results
}
