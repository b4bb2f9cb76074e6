const BOUNDS_MS = [10, 25, 50, 100, 250, 500, 1_000, 2_500] as const

/** A histogram of delays, as Prometheus counts: each bound holds all that is no longer. */
export class LoopDelays {
  readonly #counts: number[] = BOUNDS_MS.map(() => 0)
  #count = 0
  #sumMs = 0

  add(delayMs: number): void {
    this.#count++
    this.#sumMs += delayMs
    for (const [at, boundMs] of BOUNDS_MS.entries()) if (delayMs <= boundMs) this.#counts[at]!++
  }

  /** Lines of Prometheus' text form; `labels` as they stand within the braces. */
  lines(name: string, labels: string): readonly string[] {
    const bucket = (le: string, count: number): string =>
      `${name}_bucket{${labels},le="${le}"} ${count}`
    return [
      ...BOUNDS_MS.map((boundMs, at) => bucket(String(boundMs / 1_000), this.#counts[at]!)),
      bucket('+Inf', this.#count),
      `${name}_sum{${labels}} ${(this.#sumMs / 1_000).toFixed(3)}`,
      `${name}_count{${labels}} ${this.#count}`,
    ]
  }
}
