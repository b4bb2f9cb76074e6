/** Which email stands where in a list, as far as that is known. */
export class Positions {
  #ids = new Map<number, string>()
  #places = new Map<string, number>()
  #length = 0

  get length(): number {
    return this.#length
  }
  /** Positions that are known. */
  get size(): number {
    return this.#ids.size
  }
  at(index: number): string | undefined {
    return this.#ids.get(index)
  }
  /** -1 where it is not known to stand in the list. */
  indexOf(id: string): number {
    return this.#places.get(id) ?? -1
  }
  isWhole(from: number, to: number): boolean {
    for (let index = from; index < Math.min(to, this.#length); index++)
      if (!this.#ids.has(index)) return false
    return true
  }

  setLength(length: number): void {
    this.#length = length
    this.#keep((index) => index < length)
  }
  /** What stood elsewhere before stands here now: nothing stands twice. */
  put(from: number, ids: readonly string[]): void {
    for (const [offset, id] of ids.entries()) {
      const index = from + offset
      const before = this.#ids.get(index)
      if (before === id) continue
      if (before !== undefined) this.#places.delete(before)
      const elsewhere = this.#places.get(id)
      if (elsewhere !== undefined) this.#ids.delete(elsewhere)
      this.#ids.set(index, id)
      this.#places.set(id, index)
    }
    this.#length = Math.max(this.#length, from + ids.length)
  }
  /** As many have come in front; fewer than none: have gone there. */
  shift(by: number): void {
    const moved = [...this.#ids].map(([index, id]) => [index + by, id] as const)
    this.#refill(moved.filter(([index]) => index >= 0))
    this.#length = Math.max(0, this.#length + by)
  }
  /** Takes emails out; those behind move up. */
  takeOut(ids: ReadonlySet<string>): void {
    const gone = [...ids]
      .map((id) => this.indexOf(id))
      .filter((index) => index >= 0)
      .toSorted((a, b) => a - b)
    const left = [...this.#ids].filter(([, id]) => !ids.has(id))
    this.#refill(left.map(([index, id]) => [index - countBelow(gone, index), id]))
    this.#length -= gone.length
  }
  /** Forgets what stands neither in this range nor in front of `head`. */
  forgetBeyond(range: { readonly first: number; readonly last: number }, head: number): void {
    this.#keep((index) => index < head || (index >= range.first && index <= range.last))
  }
  clear(): void {
    this.#refill([])
    this.#length = 0
  }
  copy(): Positions {
    const copy = new Positions()
    copy.#refill([...this.#ids])
    copy.#length = this.#length
    return copy
  }

  #keep(isKept: (index: number) => boolean): void {
    for (const [index, id] of this.#ids) {
      if (isKept(index)) continue
      this.#ids.delete(index)
      this.#places.delete(id)
    }
  }
  #refill(entries: readonly (readonly [number, string])[]): void {
    this.#ids = new Map(entries)
    this.#places = new Map(entries.map(([index, id]) => [id, index]))
  }
}

/** How many of the ascending numbers are below. */
function countBelow(numbers: readonly number[], limit: number): number {
  const at = numbers.findIndex((each) => each >= limit)
  return at < 0 ? numbers.length : at
}
