/** Texts by a text, most of them alone: as many texts as they are, and no list around each. */
export class ManyMap {
  readonly #all = new Map<string, string | string[]>()

  /** In the order in which they were added. */
  get(name: string): readonly string[] {
    const found = this.#all.get(name)
    if (found === undefined) return []
    return typeof found === 'string' ? [found] : found
  }

  add(name: string, value: string): void {
    const found = this.#all.get(name)
    if (found === undefined) this.#all.set(name, value)
    else if (typeof found !== 'string') found.push(value)
    else this.#all.set(name, [found, value])
  }

  delete(name: string, value: string): void {
    const left = this.get(name).filter((each) => each !== value)
    if (left.length === 0) this.#all.delete(name)
    else this.#all.set(name, left.length === 1 ? left[0]! : [...left])
  }
}
