import { isWide } from '#codec/mime/fold-text.ts'

/** Parts of a message whose postings are kept apart: envelope, header, bodies. */
export type Zone = 0 | 1 | 2

/** Stands twice behind each text, so that its last characters begin a gram too. Folded text has no control characters. */
const END = 1

/**
 * A key is zone · 2^48 + three units of 16 bits: the gram that begins at one unit of a text. It has two
 * units where one of the first two is of a script without blanks, whose pairs tell much, and three
 * elsewhere. Each unit of a text begins one gram, so a range of keys finds what begins with one or two.
 * `high` holds the zone and the first unit, `low` the other two.
 */
export type AddGram = (high: number, low: number) => void

export function addGrams(text: string, zone: Zone, add: AddGram): void {
  const base = zone * 0x1_0000
  const { length } = text
  let first = length > 0 ? text.charCodeAt(0) : END
  let second = length > 1 ? text.charCodeAt(1) : END
  for (let at = 0; at < length; at++) {
    const third = at + 2 < length ? text.charCodeAt(at + 2) : END
    const isPair = isWide(first) || isWide(second)
    add(base + first, isPair ? second * 0x1_0000 : second * 0x1_0000 + third)
    first = second
    second = third
  }
}

export const HIGH_UNIT = 2 ** 32

/** Keys from `from` to before `to`. */
export interface KeyRange {
  readonly from: number
  readonly to: number
}

export interface GramPlan {
  /** A text that holds the term has a gram of each of these. */
  readonly ranges: readonly KeyRange[]
  /** True where such a text holds the term for certain. */
  readonly isExact: boolean
}

/** What to look up for a folded term of one unit or more. */
export function planOf(term: string, zone: Zone): GramPlan {
  const base = zone * 0x1_0000
  const unit = (at: number): number => term.charCodeAt(at)
  const high = (base + unit(0)) * HIGH_UNIT
  if (term.length === 1) return { ranges: [{ from: high, to: high + HIGH_UNIT }], isExact: true }
  const ranges: KeyRange[] = []
  let longest = 0
  for (let at = 0; at + 1 < term.length; at++) {
    const isPair = isWide(unit(at)) || isWide(unit(at + 1))
    if (!isPair && at + 2 >= term.length) continue
    const low = unit(at + 1) * 0x1_0000 + (isPair ? 0 : unit(at + 2))
    const key = (base + unit(at)) * HIGH_UNIT + low
    ranges.push({ from: key, to: key + 1 })
    longest = Math.max(longest, isPair ? 2 : 3)
  }
  if (ranges.length > 0) return { ranges, isExact: longest >= term.length }
  const from = high + unit(1) * 0x1_0000
  return { ranges: [{ from, to: from + 0x1_0000 }], isExact: true }
}
