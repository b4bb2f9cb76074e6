import { randomBytes } from 'node:crypto'

const EMPTY = 0
const SLOTS_MIN = 64

/** What an index is made of, as a snapshot keeps it. */
export interface KeyIndexParts {
  readonly seed: number
  readonly count: number
  /** Two words a slot: the hash of the key, and the number behind it, plus one. */
  readonly slots: Uint32Array
}

/**
 * Numbers by the hash of a text, in one array without an object: a key costs some twelve octets. The
 * texts stand elsewhere, so whoever looks asks of each candidate whether it is meant.
 */
export class KeyIndex {
  /** Secret: nobody can choose names that all fall into one place. */
  readonly #seed: number
  #count: number
  #slots: Uint32Array

  constructor(parts?: KeyIndexParts) {
    this.#seed = parts?.seed ?? randomBytes(4).readUInt32LE()
    this.#count = parts?.count ?? 0
    this.#slots = parts?.slots ?? new Uint32Array(2 * SLOTS_MIN)
  }

  parts(): KeyIndexParts {
    return { seed: this.#seed, count: this.#count, slots: this.#slots.slice() }
  }

  /** The number under this key that `isMeant` says yes to. */
  find(key: string, isMeant: (number: number) => boolean): number | undefined {
    const slot = this.#slotOf(this.#hash(key), isMeant)
    const held = this.#slots[slot + 1]!
    return held === EMPTY ? undefined : held - 1
  }

  /** Puts the number under the key, in the place of one that `isMeant` says yes to. */
  set(key: string, number: number, isMeant: (number: number) => boolean): void {
    if (8 * (this.#count + 1) > 3 * this.#slots.length) this.#grow()
    const hash = this.#hash(key)
    const slot = this.#slotOf(hash, isMeant)
    if (this.#slots[slot + 1] === EMPTY) this.#count++
    this.#slots[slot] = hash
    this.#slots[slot + 1] = number + 1
  }

  /** Takes away exactly this number under this key, where it is there. */
  delete(key: string, number: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let hole = this.#slotOf(this.#hash(key), (each) => each === number)
    if (slots[hole + 1] === EMPTY) return
    this.#count--
    // Those behind it move up, so that no search ends too early and nothing is left to be swept.
    for (let at = (hole + 2) & mask; slots[at + 1] !== EMPTY; at = (at + 2) & mask) {
      const home = (2 * slots[at]!) & mask
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      slots[hole] = slots[at]!
      slots[hole + 1] = slots[at + 1]!
      hole = at
    }
    slots[hole + 1] = EMPTY
  }

  /** The slot of the number that is meant, or the empty one where it would stand. */
  #slotOf(hash: number, isMeant: (number: number) => boolean): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let at = (2 * hash) & mask; ; at = (at + 2) & mask) {
      const held = slots[at + 1]!
      if (held === EMPTY || (slots[at] === hash && isMeant(held - 1))) return at
    }
  }

  #grow(): void {
    const old = this.#slots
    const slots = new Uint32Array(2 * old.length)
    const mask = slots.length - 1
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === EMPTY) continue
      let at = (2 * old[from]!) & mask
      while (slots[at + 1] !== EMPTY) at = (at + 2) & mask
      slots[at] = old[from]!
      slots[at + 1] = old[from + 1]!
    }
    this.#slots = slots
  }

  /** MurmurHash3's steps, over UTF-16 units. */
  #hash(key: string): number {
    let hash = this.#seed
    for (let i = 0; i < key.length; i++) {
      hash = Math.imul(hash ^ key.charCodeAt(i), 0x9e37_79b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
    return (hash ^ (hash >>> 16)) >>> 0
  }
}
