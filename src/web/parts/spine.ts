/** Where each page of a long list begins, and how long it is; the rows themselves come and go. */
export interface Spine {
  /** Of which list. */
  readonly name: string
  /** The cursor of each page; the first has none. The last may not have been looked at yet. */
  readonly starts: readonly (string | undefined)[]
  readonly lengths: readonly number[]
  /** The first row of each page that has a length. */
  readonly offsets: readonly number[]
  readonly count: number
  readonly hasMore: boolean
}

/** What the page that begins at `start` turned out to be; without `next` the list ends there. */
export interface PageEnd {
  readonly page: number
  readonly start?: string | undefined
  readonly length: number
  readonly next?: string | undefined
}

/** A browser draws no element higher than some 17 million pixels: beyond so many rows a list wants a filter. */
export const ROWS_MAX = 400_000

export const spineOf = (name: string): Spine => made(name, [undefined], [])

/** One that is known to its end before its pages are looked at, each but the last of so many rows. */
export function wholeSpine(
  name: string,
  known: { readonly count: number; readonly starts: readonly string[]; readonly pageRows: number },
): Spine {
  const { pageRows } = known
  const count = Math.min(known.count, ROWS_MAX)
  const lengths = Array.from({ length: Math.max(1, Math.ceil(count / pageRows)) }, (_, page) =>
    Math.min(pageRows, count - page * pageRows),
  )
  return made(name, [undefined, ...known.starts].slice(0, lengths.length), lengths)
}

/** With what the pages turned out to be; a page that ends elsewhere than before forgets those behind it. */
export function grown(spine: Spine, ends: readonly PageEnd[]): Spine {
  let { starts, lengths } = spine
  for (const { page, start, length, next } of ends) {
    if (page >= starts.length || starts[page] !== start) continue
    const isSameEnd = next === undefined ? starts.length === page + 1 : starts[page + 1] === next
    if (isSameEnd && lengths[page] === length) continue
    if (isSameEnd) lengths = lengths.toSpliced(page, 1, length)
    else {
      starts = [...starts.slice(0, page + 1), ...(next === undefined ? [] : [next])]
      lengths = [...lengths.slice(0, page), length]
    }
  }
  return starts === spine.starts && lengths === spine.lengths
    ? spine
    : made(spine.name, starts, lengths)
}

function made(
  name: string,
  starts: readonly (string | undefined)[],
  lengths: readonly number[],
): Spine {
  const offsets: number[] = []
  let count = 0
  for (const length of lengths) {
    offsets.push(count)
    count += length
  }
  return {
    name,
    starts,
    lengths,
    offsets,
    count,
    hasMore: starts.length > lengths.length && count < ROWS_MAX,
  }
}

/** Page of a row, and its place there. */
export function placeOf(spine: Spine, row: number): readonly [page: number, place: number] {
  let low = 0
  let high = spine.offsets.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (spine.offsets[middle]! <= row) low = middle + 1
    else high = middle
  }
  const page = Math.max(0, low - 1)
  return [page, row - (spine.offsets[page] ?? 0)]
}

/** The pages that these rows lie on; the next one, too, where they come near the end of what is known. */
export function pagesOf(spine: Spine, first: number, last: number): readonly number[] {
  const known = spine.lengths.length
  if (known === 0) return [0]
  const from = placeOf(spine, Math.max(0, first))[0]
  const to = placeOf(spine, Math.min(last, spine.count - 1))[0]
  const pages: number[] = []
  for (let page = from; page <= Math.max(from, to); page++) pages.push(page)
  if (spine.hasMore && last >= spine.count) pages.push(known)
  return pages
}
