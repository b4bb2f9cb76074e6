import { KeyIndex } from './key-index.ts'
import type { KeyIndexParts } from './key-index.ts'
import { RecordHeap } from './record-heap.ts'
import { RowChain } from './row-chain.ts'
import type { ChainParts } from './row-chain.ts'
import type { HeapParts } from './record-heap.ts'

/** Rows that stay as objects for the next who asks: people write again to whom they wrote. */
const CACHED = 1_024
const SAMPLE = 200

/** How rows of a kind are found. */
export interface RowKeys<T> {
  /** Of one row only. */
  readonly nameOf: (row: T) => string
  /** Whether its name is this one, where that is faster told. */
  readonly isNamed?: (row: T, name: string) => boolean
  /** Of one row at a time: who comes last has it. */
  readonly alsoOf?: (row: T) => readonly string[]
  /** Whether this is one of them, likewise. */
  readonly hasAlso?: (row: T, key: string) => boolean
  /** What many rows have in common, always as many of each row; undefined: it is in no such group. */
  readonly groupsOf?: (row: T) => readonly (string | undefined)[]
  /** How many groups a row is in at most. */
  readonly groups?: number
  /** Rows of a common shape as a text that is faster read than JSON; undefined: another shape. It begins with no brace. */
  readonly shortOf?: (row: T) => string | undefined
  readonly ofShort?: (text: string) => T
}

interface CachedRow<T> {
  readonly number: number
  readonly row: T
  also: readonly string[] | undefined
}

const NO_GROUPS: readonly undefined[] = []

/** What packed rows are made of, as a snapshot keeps them. */
export interface PackedParts {
  readonly heap: HeapParts
  readonly names: KeyIndexParts
  readonly also: KeyIndexParts
  readonly chains: readonly ChainParts[]
}

/**
 * Rows as JSON in a few large blocks, found by hash and parsed when they are asked for: a tenth of a
 * second to read half a million of them, where objects take seconds and three times the memory.
 * Their order means nothing.
 */
export class PackedRows<T extends object> {
  readonly #keys: RowKeys<T>
  readonly #heap: RecordHeap
  readonly #names: KeyIndex
  readonly #also: KeyIndex
  /** Those of a group hang on one another; the index of further keys has the first. */
  readonly #chains: readonly RowChain[]
  readonly #freeNumbers: number[] = []
  #end = 0
  #size = 0
  readonly #cached: (CachedRow<T> | undefined)[] = []

  constructor(keys: RowKeys<T>, parts?: PackedParts) {
    this.#keys = keys
    this.#heap = new RecordHeap(parts?.heap)
    this.#names = new KeyIndex(parts?.names)
    this.#also = new KeyIndex(parts?.also)
    this.#chains = Array.from(
      { length: keys.groups ?? 0 },
      (_, place) => new RowChain(parts?.chains[place]),
    )
    if (parts === undefined) return
    for (let number = this.#heap.end - 1; number >= 0; number--) {
      if (this.#heap.has(number)) {
        if (this.#end === 0) this.#end = number + 1
        this.#size++
      } else if (this.#end > 0) this.#freeNumbers.push(number)
    }
  }

  /** As they stand; changes after this call are not seen. */
  parts(): PackedParts {
    return {
      heap: this.#heap.parts(),
      names: this.#names.parts(),
      also: this.#also.parts(),
      chains: this.#chains.map((chain) => chain.parts()),
    }
  }

  /** Whether a sample of them is found by each of its keys. */
  isSound(): boolean {
    const step = Math.max(1, Math.floor(this.#end / SAMPLE))
    for (let number = 0; number < this.#end; number += step) {
      const row = this.#parsed(number)
      if (row === undefined) continue
      const isThis = (each: number): boolean => each === number
      if (this.#names.find(this.#keys.nameOf(row), isThis) === undefined) return false
      // Another row may have taken one of them over; then that one is found.
      for (const key of this.#keys.alsoOf?.(row) ?? [])
        if (this.find(key) === undefined) return false
      for (const [place, group] of this.#groupsOf(row).entries())
        if (group !== undefined && this.#first(place, group) === undefined) return false
    }
    return true
  }

  get size(): number {
    return this.#size
  }

  get(name: string): T | undefined {
    return this.#row(this.#names.find(name, (number) => this.#isNamed(number, name)))
  }

  /** By one of its further keys. */
  find(key: string): T | undefined {
    return this.#row(this.#also.find(key, (number) => this.#hasAlso(number, key)))
  }

  put(row: T): void {
    const name = this.#keys.nameOf(row)
    const isNamed = (number: number): boolean => this.#isNamed(number, name)
    const known = this.#names.find(name, isNamed)
    if (known !== undefined) this.#forgetAlso(known)
    else this.#size++
    const number = known ?? this.#freeNumbers.pop() ?? this.#end++
    this.#heap.put(number, this.#keys.shortOf?.(row) ?? jsonOf(row))
    this.#forgetCached(number)
    if (known === undefined) this.#names.set(name, number, (each) => each === number)
    for (const key of this.#keys.alsoOf?.(row) ?? [])
      this.#also.set(key, number, (each) => each === number || this.#hasAlso(each, key))
    for (const [place, group] of this.#groupsOf(row).entries())
      if (group !== undefined) this.#join(number, place, group)
  }

  delete(name: string): void {
    const number = this.#names.find(name, (each) => this.#isNamed(each, name))
    if (number === undefined) return
    this.#forgetAlso(number)
    this.#names.delete(name, number)
    this.#heap.delete(number)
    this.#forgetCached(number)
    this.#freeNumbers.push(number)
    this.#size--
  }

  /** Each once, as it is when its turn comes. They pass by the cache, which is for others. */
  *values(): Generator<T, undefined> {
    for (let number = 0; number < this.#end; number++) {
      const row = this.#parsed(number)
      if (row !== undefined) yield row
    }
    return undefined
  }

  /** Those of a group, each once; rows that come or go meanwhile may be among them or not. */
  *inGroup(place: number, group: string): Generator<T, undefined> {
    for (const number of this.#chains[place]!.from(this.#first(place, group))) {
      const row = this.#parsed(number)
      if (row !== undefined && this.#groupsOf(row)[place] === group) yield row
    }
    return undefined
  }

  /** How many are in a group; none of them is read. */
  countOf(place: number, group: string): number {
    return this.#chains[place]!.from(this.#first(place, group)).length
  }

  #groupsOf(row: T): readonly (string | undefined)[] {
    return this.#keys.groupsOf?.(row) ?? NO_GROUPS
  }

  #first(place: number, group: string): number | undefined {
    const key = groupKey(place, group)
    return this.#also.find(key, (number) => this.#isIn(number, place, group))
  }

  #join(number: number, place: number, group: string): void {
    this.#chains[place]!.put(number, this.#first(place, group))
    this.#also.set(
      groupKey(place, group),
      number,
      (each) => each === number || this.#isIn(each, place, group),
    )
  }

  #leave(number: number, place: number, group: string): void {
    const chain = this.#chains[place]!
    const key = groupKey(place, group)
    const isFirst = chain.before(number) === undefined
    const next = chain.after(number)
    chain.remove(number)
    if (!isFirst) return
    if (next === undefined) this.#also.delete(key, number)
    else this.#also.set(key, next, (each) => each === number)
  }

  #isIn(number: number, place: number, group: string): boolean {
    const row = this.#row(number)
    return row !== undefined && this.#groupsOf(row)[place] === group
  }

  #isNamed(number: number, name: string): boolean {
    const row = this.#row(number)
    if (row === undefined) return false
    const { isNamed } = this.#keys
    return isNamed === undefined ? this.#keys.nameOf(row) === name : isNamed(row, name)
  }

  #hasAlso(number: number, key: string): boolean {
    const cached = this.#look(number)
    if (cached === undefined) return false
    if (this.#keys.hasAlso !== undefined) return this.#keys.hasAlso(cached.row, key)
    cached.also ??= this.#keys.alsoOf?.(cached.row) ?? []
    return cached.also.includes(key)
  }

  #forgetAlso(number: number): void {
    const row = this.#row(number)!
    for (const key of this.#keys.alsoOf?.(row) ?? []) this.#also.delete(key, number)
    for (const [place, group] of this.#groupsOf(row).entries())
      if (group !== undefined) this.#leave(number, place, group)
  }

  #row(number: number | undefined): T | undefined {
    return number === undefined ? undefined : this.#look(number)?.row
  }

  #look(number: number): CachedRow<T> | undefined {
    const slot = number % CACHED
    const cached = this.#cached[slot]
    if (cached?.number === number) return cached
    const row = this.#parsed(number)
    if (row === undefined) return undefined
    return (this.#cached[slot] = { number, row, also: undefined })
  }

  #parsed(number: number): T | undefined {
    const text = this.#heap.text(number)
    if (text === undefined) return undefined
    const { ofShort } = this.#keys
    return ofShort === undefined || text.startsWith('{') ? (JSON.parse(text) as T) : ofShort(text)
  }

  #forgetCached(number: number): void {
    const slot = number % CACHED
    if (this.#cached[slot]?.number === number) this.#cached[slot] = undefined
  }
}

/** With what is not Latin escaped, where that takes no more: names among much else. It is read much faster then. */
function jsonOf(row: object): string {
  const text = JSON.stringify(row)
  if (text.length > ESCAPED_MAX) return text
  const wide = text.match(NOT_LATIN)?.length ?? 0
  const isShort = wide > 0 && (ESCAPED_UNITS - 1) * wide < text.length
  return isShort ? text.replace(NOT_LATIN, escaped) : text
}

const NOT_LATIN = /[^\u0000-\u00ff]/g
const ESCAPED_UNITS = 6
/** Longer ones are few, and a long text. */
const ESCAPED_MAX = 4_096
const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Apart from all further keys: none of those begins so. */
const groupKey = (place: number, group: string): string => `\u0003${place}${group}`
