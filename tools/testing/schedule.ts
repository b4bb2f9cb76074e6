/** What is run: `short` at once, `long` as soon as `ready`, and from then on before what is left of `short`. */
export interface Plan<T> {
  readonly long: readonly T[]
  readonly short: readonly T[]
  /** What `long` needs is there. */
  readonly ready: Promise<unknown>
  /** How many run at a time. */
  readonly width: number
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
  const worker = async (): Promise<void> => {
    for (;;) {
      if (long.length > 0 && short.length === 0) await ready
      const next = (isReady ? long.shift() : undefined) ?? short.shift()
      if (next !== undefined) results.push(await work(next))
      else if (long.length === 0) return
    }
  }
  await Promise.all(Array.from({ length: plan.width }, worker))
  return results
}
