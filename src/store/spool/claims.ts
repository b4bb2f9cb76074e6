/** Who is being delivered right now; gone with the process, and so ready again (crash state S4). */
export class Claims {
  readonly #places = new Map<number, Set<number>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(message: number, place: number): boolean {
    return this.#places.get(message)?.has(place) === true
  }

  messages(): Iterable<number> {
    return this.#places.keys()
  }

  add(message: number, place: number): void {
    const places = this.#places.get(message)
    if (places?.has(place) === true) return
    if (places === undefined) this.#places.set(message, new Set([place]))
    else places.add(place)
    this.#size++
  }

  remove(message: number, place: number): void {
    const places = this.#places.get(message)
    if (places?.delete(place) !== true) return
    this.#size--
    if (places.size === 0) this.#places.delete(message)
  }
}
