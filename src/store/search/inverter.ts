import { addGrams, HIGH_UNIT } from './grams.ts'
import type { Zone } from './grams.ts'

const SLOTS_MIN = 1 << 13
const PAIRS_MIN = 1 << 14

/** Grams of documents turned round: which documents have each gram. In memory, for one segment. */
export class Inverter {
  #mask = SLOTS_MIN - 1
  #highs = new Uint32Array(SLOTS_MIN)
  #lows = new Uint32Array(SLOTS_MIN)
  /** Of each slot: its newest pair + 1; 0 where the slot is free. */
  #tails = new Uint32Array(SLOTS_MIN)
  #used = 0
  /** Pairs: the document, and the pair before it of the same gram + 1. */
  #documents: Uint32Array = new Uint32Array(PAIRS_MIN)
  #before: Uint32Array = new Uint32Array(PAIRS_MIN)
  #pairs = 0
  #document = 0
  readonly #add = (high: number, low: number): void => this.#put(high, low)

  /** So much was added: each pair takes eight octets. */
  get pairs(): number {
    return this.#pairs
  }

  /** Adds a text of the document; documents come in ascending order. */
  add(document: number, zone: Zone, text: string): void {
    this.#document = document
    addGrams(text, zone, this.#add)
  }

  #put(high: number, low: number): void {
    let slot = hash(high, low) & this.#mask
    for (;;) {
      const tail = this.#tails[slot]!
      if (tail === 0) break
      if (this.#lows[slot] === low && this.#highs[slot] === high) {
        if (this.#documents[tail - 1] === this.#document) return
        break
      }
      slot = (slot + 1) & this.#mask
    }
    if (this.#tails[slot] === 0) {
      this.#highs[slot] = high
      this.#lows[slot] = low
      this.#used++
    }
    if (this.#pairs === this.#documents.length) this.#growPairs()
    this.#documents[this.#pairs] = this.#document
    this.#before[this.#pairs] = this.#tails[slot]!
    this.#tails[slot] = ++this.#pairs
    if (this.#used * 2 > this.#mask) this.#growSlots()
  }

  #growPairs(): void {
    const grown = (array: Uint32Array): Uint32Array => {
      const next = new Uint32Array(array.length * 2)
      next.set(array)
      return next
    }
    this.#documents = grown(this.#documents)
    this.#before = grown(this.#before)
  }

  #growSlots(): void {
    const [highs, lows, tails] = [this.#highs, this.#lows, this.#tails]
    const count = (this.#mask + 1) * 2
    this.#mask = count - 1
    this.#highs = new Uint32Array(count)
    this.#lows = new Uint32Array(count)
    this.#tails = new Uint32Array(count)
    for (let old = 0; old < tails.length; old++) {
      if (tails[old] === 0) continue
      let slot = hash(highs[old]!, lows[old]!) & this.#mask
      while (this.#tails[slot] !== 0) slot = (slot + 1) & this.#mask
      this.#highs[slot] = highs[old]!
      this.#lows[slot] = lows[old]!
      this.#tails[slot] = tails[old]!
    }
  }

  /** Each key ascending, with its documents ascending; the array is used again for the next. */
  *postings(): Generator<readonly [key: number, documents: Uint32Array]> {
    const keys = new Float64Array(this.#used)
    let at = 0
    for (let slot = 0; slot <= this.#mask; slot++)
      if (this.#tails[slot] !== 0) keys[at++] = this.#highs[slot]! * HIGH_UNIT + this.#lows[slot]!
    keys.sort()
    const documents = new Uint32Array(this.#document + 1)
    for (const key of keys) {
      let from = documents.length
      for (let pair = this.#tailOf(key); pair !== 0; pair = this.#before[pair - 1]!)
        documents[--from] = this.#documents[pair - 1]!
      yield [key, documents.subarray(from)]
    }
  }

  #tailOf(key: number): number {
    const high = Math.floor(key / HIGH_UNIT)
    const low = key % HIGH_UNIT
    let slot = hash(high, low) & this.#mask
    while (this.#lows[slot] !== low || this.#highs[slot] !== high) slot = (slot + 1) & this.#mask
    return this.#tails[slot]!
  }
}

function hash(high: number, low: number): number {
  let mixed = Math.imul(high, 0x9e37_79b1) ^ Math.imul(low, 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
