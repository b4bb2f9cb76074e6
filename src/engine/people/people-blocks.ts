import type { AccountId } from '#model/account.ts'

/** Somebody with what they are found by; the text has no line end. */
export interface BlockEntry {
  readonly id: AccountId
  readonly key: string
  readonly text: string
}

/** Neighbours whose texts stand in one: what is searched lies in one piece, whoever it belongs to. */
interface Block {
  readonly ids: readonly AccountId[]
  readonly keys: readonly string[]
  readonly text: string
  /** Where each text ends, its line end included. */
  readonly ends: Uint32Array
}

const BLOCK_ROWS = 512
/** One that has grown so large becomes two. */
const BLOCK_ROWS_MAX = 2 * BLOCK_ROWS

/** Entries in the order of their keys; never changed in place, so that a search goes through what it began with. */
export class PeopleBlocks {
  readonly #blocks: readonly Block[]

  constructor(blocks: readonly Block[] = []) {
    this.#blocks = blocks
  }

  static of(entries: readonly BlockEntry[]): PeopleBlocks {
    return new PeopleBlocks(blocksOf(entries.toSorted(byKey)))
  }

  /** Without those of these keys, and with these entries. */
  changed(gone: ReadonlySet<string>, fresh: readonly BlockEntry[]): PeopleBlocks {
    const perBlock = new Map<number, BlockEntry[]>()
    const touch = (key: string): BlockEntry[] => {
      const at = this.#blockOf(key)
      const here = perBlock.get(at) ?? []
      perBlock.set(at, here)
      return here
    }
    for (const key of gone) touch(key)
    for (const entry of fresh) touch(entry.key).push(entry)
    if (this.#blocks.length === 0) return PeopleBlocks.of(fresh)
    return new PeopleBlocks(
      this.#blocks.flatMap((block, at) => {
        const more = perBlock.get(at)
        if (more === undefined) return [block]
        const stays = entriesOf(block).filter(({ key }) => !gone.has(key))
        const all = [...stays, ...more].sort(byKey)
        return all.length > BLOCK_ROWS_MAX ? blocksOf(all) : all.length === 0 ? [] : [blockOf(all)]
      }),
    )
  }

  /** Those in whose texts each of the words stands, behind a key; undefined after each block that is done. */
  *find(
    words: readonly string[],
    after: string | undefined,
  ): Generator<{ readonly id: AccountId; readonly key: string } | undefined, void> {
    const rare = words.reduce((best, word) => (word.length > best.length ? word : best), '')
    const others = words.filter((word) => word !== rare)
    const first = after === undefined ? 0 : this.#blockOf(after)
    for (const { ids, keys, text, ends } of this.#blocks.slice(first)) {
      let row = after === undefined ? 0 : placeAfter(keys, after)
      while (row < ids.length) {
        const at = text.indexOf(rare, row === 0 ? 0 : ends[row - 1]!)
        if (at < 0) break
        row = placeOf(ends, at, row)
        const begin = row === 0 ? 0 : ends[row - 1]!
        if (others.length === 0 || holdsAll(text.slice(begin, ends[row]), others))
          yield { id: ids[row]!, key: keys[row]! }
        row++
      }
      yield undefined
    }
  }

  /** The last block that begins at or before the key, else the first. */
  #blockOf(key: string): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#blocks[middle]!.keys[0]! <= key) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}

const holdsAll = (text: string, words: readonly string[]): boolean =>
  words.every((word) => text.includes(word))

const byKey = (a: BlockEntry, b: BlockEntry): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

const blocksOf = (sorted: readonly BlockEntry[]): Block[] =>
  Array.from({ length: Math.ceil(sorted.length / BLOCK_ROWS) }, (_, at) =>
    blockOf(sorted.slice(at * BLOCK_ROWS, (at + 1) * BLOCK_ROWS)),
  )

function blockOf(entries: readonly BlockEntry[]): Block {
  let end = 0
  return {
    ids: entries.map(({ id }) => id),
    keys: entries.map(({ key }) => key),
    text: entries.map(({ text }) => `${text}\n`).join(''),
    ends: Uint32Array.from(entries, ({ text }) => (end += text.length + 1)),
  }
}

const entriesOf = ({ ids, keys, text, ends }: Block): BlockEntry[] =>
  ids.map((id, row) => ({
    id,
    key: keys[row]!,
    text: text.slice(row === 0 ? 0 : ends[row - 1]!, ends[row]! - 1),
  }))

/** The first row behind this key. */
function placeAfter(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! <= key) low = middle + 1
    else high = middle
  }
  return low
}

/** The row at whose text this place lies. */
function placeOf(ends: Uint32Array, at: number, from: number): number {
  let low = from
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ends[middle]! <= at) low = middle + 1
    else high = middle
  }
  return low
}
