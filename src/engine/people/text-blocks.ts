/** A row with the text that it is found by; neither has a line end. */
export interface TextEntry {
  readonly id: string
  /** Rows stand in the order of these. */
  readonly key: string
  readonly text: string
}

/** What is looked for. */
export interface TextAsk {
  /** Each of them stands in the text. */
  readonly words: readonly string[]
  /** Asked of the texts in which they do. */
  readonly holds?: (text: string) => boolean
  /** Only rows behind this key. */
  readonly after?: string | undefined
}

export interface FoundText {
  readonly id: string
  readonly key: string
}

/** Neighbours whose texts stand in one: what is searched lies in one piece, whoever it belongs to. */
interface Block {
  readonly ids: Column
  readonly keys: Column
  readonly texts: Column
}

/** Texts in one string: it is a single object to the garbage collector, and not a thousand. */
interface Column {
  readonly text: string
  /** Where each of them ends, its line end included. */
  readonly ends: Uint32Array
}

const BLOCK_ROWS = 512
/** One that has grown so large becomes two. */
const BLOCK_ROWS_MAX = 2 * BLOCK_ROWS
/** Sorted, put together and looked through in one go: some milliseconds, while all others wait. */
const SORTED_AT_ONCE = 4_096
const BLOCKS_AT_ONCE = 16
/** Up to so many names are sought one by one. */
const FEW = 32

/** Rows in the order of their keys; never changed in place, so that a search goes through what it began with. */
export class TextBlocks {
  readonly #blocks: readonly Block[]

  constructor(blocks: readonly Block[] = []) {
    this.#blocks = blocks
  }

  /** Others have their turns meanwhile. */
  static async of(entries: readonly TextEntry[]): Promise<TextBlocks> {
    const blocks: Block[] = []
    const sorted = await sortedInTurns(entries)
    for (let at = 0; at < sorted.length; at += BLOCK_ROWS) {
      blocks.push(blockOf(sorted.slice(at, at + BLOCK_ROWS)))
      if (blocks.length % BLOCKS_AT_ONCE === 0) await turn()
    }
    return new TextBlocks(blocks)
  }

  /** Without the rows of these ids as they stand, and with the entries; others have their turns meanwhile. */
  async changed(ids: ReadonlySet<string>, fresh: readonly TextEntry[]): Promise<TextBlocks> {
    if (this.#blocks.length === 0) return TextBlocks.of(fresh)
    const perBlock = new Map<number, TextEntry[]>()
    for (const entry of fresh) {
      const at = this.#blockOf(entry.key)
      const here = perBlock.get(at)
      if (here === undefined) perBlock.set(at, [entry])
      else here.push(entry)
    }
    const blocks: Block[] = []
    let changed = 0
    for (const [at, block] of this.#blocks.entries()) {
      if (at % BLOCKS_AT_ONCE === BLOCKS_AT_ONCE - 1) await turn()
      const more = perBlock.get(at) ?? []
      if (more.length === 0 && !holdsAny(block.ids, ids)) {
        blocks.push(block)
        continue
      }
      const stays = entriesOf(block).filter(({ id }) => !ids.has(id))
      const all = [...stays, ...more].sort(byKey)
      const size = all.length > BLOCK_ROWS_MAX ? BLOCK_ROWS : BLOCK_ROWS_MAX
      for (let from = 0; from < all.length; from += size)
        blocks.push(blockOf(all.slice(from, from + size)))
      if (++changed % BLOCKS_AT_ONCE === 0) await turn()
    }
    return new TextBlocks(blocks)
  }

  /** Those that are looked for; undefined after each block that is done. */
  *find({ words, holds, after }: TextAsk): Generator<FoundText | undefined, void> {
    const rare = words.reduce((best, word) => (word.length > best.length ? word : best), '')
    const others = words.filter((word) => word !== rare)
    const fits = (text: string): boolean =>
      others.every((word) => text.includes(word)) && holds?.(text) !== false
    const isPlain = others.length === 0 && holds === undefined
    const first = after === undefined ? 0 : this.#blockOf(after)
    for (const { ids, keys, texts } of this.#blocks.slice(first)) {
      let row = after === undefined ? 0 : placeAfter(keys, after)
      while (row < ids.ends.length) {
        const at = texts.text.indexOf(rare, beginOf(texts, row))
        if (at < 0) break
        row = placeOf(texts.ends, at, row)
        if (isPlain || fits(textAt(texts, row)))
          yield { id: textAt(ids, row), key: textAt(keys, row) }
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
      if (textAt(this.#blocks[middle]!.keys, 0) <= key) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}

/** Pieces first, then twice as many at each step: what is in order already is put together in one pass. */
async function sortedInTurns(entries: readonly TextEntry[]): Promise<readonly TextEntry[]> {
  let runs: TextEntry[][] = []
  for (let at = 0; at < entries.length; at += SORTED_AT_ONCE) {
    runs.push(entries.slice(at, at + SORTED_AT_ONCE).sort(byKey))
    await turn()
  }
  while (runs.length > 1) {
    const merged: TextEntry[][] = []
    for (let at = 0; at < runs.length; at += 2) {
      merged.push(runs[at]!.concat(runs[at + 1] ?? []).sort(byKey))
      await turn()
    }
    runs = merged
  }
  return runs[0] ?? []
}

const byKey = (a: TextEntry, b: TextEntry): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

function blockOf(entries: readonly TextEntry[]): Block {
  const ids = columnOf(entries.map(({ id }) => id))
  const isOrderedById = entries.every(({ id, key }) => id === key)
  return {
    ids,
    keys: isOrderedById ? ids : columnOf(entries.map(({ key }) => key)),
    texts: columnOf(entries.map(({ text }) => text)),
  }
}

function columnOf(texts: readonly string[]): Column {
  let end = 0
  return {
    text: texts.map((text) => `${text}\n`).join(''),
    ends: Uint32Array.from(texts, (text) => (end += text.length + 1)),
  }
}

const beginOf = ({ ends }: Column, row: number): number => (row === 0 ? 0 : ends[row - 1]!)

const textAt = (column: Column, row: number): string =>
  column.text.slice(beginOf(column, row), column.ends[row]! - 1)

const entriesOf = ({ ids, keys, texts }: Block): TextEntry[] =>
  Array.from(ids.ends, (_, row) => ({
    id: textAt(ids, row),
    key: textAt(keys, row),
    text: textAt(texts, row),
  }))

/** Whether one of these ids is in the column: a few are sought in it as it lies. */
function holdsAny(column: Column, ids: ReadonlySet<string>): boolean {
  if (ids.size > FEW)
    return Array.prototype.some.call(column.ends, (_, row) => ids.has(textAt(column, row)))
  for (const id of ids) {
    const line = `${id}\n`
    for (let at = column.text.indexOf(line); at >= 0; at = column.text.indexOf(line, at + 1))
      if (at === 0 || column.text[at - 1] === '\n') return true
  }
  return false
}

/** The first row behind this key. */
function placeAfter(keys: Column, key: string): number {
  let low = 0
  let high = keys.ends.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (textAt(keys, middle) <= key) low = middle + 1
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

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
