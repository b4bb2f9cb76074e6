/** What a chain is made of, as a snapshot keeps it. */
export interface ChainParts {
  /** A word for each number: the one after it, plus one; 0: none. */
  readonly after: Uint32Array
  readonly before: Uint32Array
}

/**
 * Numbers that hang on one another, each on one other at most: a group of any size costs eight octets a
 * row, and whoever comes or goes touches two others. Who is first is known elsewhere.
 */
export class RowChain {
  #after: Uint32Array
  #before: Uint32Array

  constructor(parts?: ChainParts) {
    this.#after = parts?.after ?? new Uint32Array(64)
    this.#before = parts?.before ?? new Uint32Array(64)
  }

  /** As it stands; changes after this call are not seen. */
  parts(): ChainParts {
    return { after: this.#after.slice(), before: this.#before.slice() }
  }

  after(number: number): number | undefined {
    return numberOf(this.#after[number])
  }

  before(number: number): number | undefined {
    return numberOf(this.#before[number])
  }

  /** Hangs a number before the one that was first; undefined: it is alone. */
  put(number: number, first: number | undefined): void {
    if (number >= this.#after.length) this.#grow(number)
    this.#before[number] = 0
    this.#after[number] = first === undefined ? 0 : first + 1
    if (first !== undefined) this.#before[first] = number + 1
  }

  remove(number: number): void {
    const after = this.#after[number]!
    const before = this.#before[number]!
    if (after !== 0) this.#before[after - 1] = before
    if (before !== 0) this.#after[before - 1] = after
    this.#after[number] = 0
    this.#before[number] = 0
  }

  /** This one, and all after it. */
  from(first: number | undefined): readonly number[] {
    const all: number[] = []
    for (let each = first; each !== undefined; each = this.after(each)) all.push(each)
    return all
  }

  #grow(number: number): void {
    const length = Math.max(number + 1, 2 * this.#after.length)
    const grown = (from: Uint32Array): Uint32Array => {
      const words = new Uint32Array(length)
      words.set(from)
      return words
    }
    this.#after = grown(this.#after)
    this.#before = grown(this.#before)
  }
}

const numberOf = (word: number | undefined): number | undefined =>
  word === undefined || word === 0 ? undefined : word - 1
