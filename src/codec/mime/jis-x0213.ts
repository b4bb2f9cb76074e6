import type { Octets } from '#base/octets.ts'
import { X0213_PAIRS, X0213_ROWS } from './jis-x0213-table.ts'

/**
 * Shift_JIS-2004 or EUC-JIS-2004 (JIS X 0213:2004); U+FFFD where there is no character. ASCII is ASCII,
 * also where Shift_JIS has the yen sign: the paths, addresses and tags of mail are meant. Total.
 */
export function decodeX0213(octets: Octets, encoding: 'shift_jis' | 'euc-jp'): string {
  const characterAt = encoding === 'euc-jp' ? eucAt : shiftedAt
  // No octet becomes more than three of UTF-8.
  const out = Buffer.allocUnsafe(octets.length * 3)
  let used = 0
  for (let at = 0; at < octets.length;) {
    const octet = octets[at]!
    if (octet < 0x80) {
      out[used++] = octet
      at++
      continue
    }
    const [text, size] = characterAt(octets, at)
    used += out.write(text ?? BROKEN, used)
    at += size
  }
  return out.toString('utf8', 0, used)
}

/** The character of a plane, its row and its cell, each from 1 on; undefined: there is none. */
export function x0213Character(plane: 1 | 2, row: number, cell: number): string | undefined {
  if (row < 1 || row > SIDE || cell < 1 || cell > SIDE) return undefined
  const text = planes()[plane - 1]![(row - 1) * SIDE + cell - 1]
  return text === '' ? undefined : text
}

const SIDE = 94
const BROKEN = '\ufffd'
const KANA = 0xff61

type Found = readonly [text: string | undefined, size: number]

/** A broken octet takes nothing of ASCII with it. */
const isTail = (low: number): boolean => low >= 0x80

function eucAt(octets: Octets, at: number): Found {
  const lead = octets[at]!
  const isThree = lead === 0x8f
  const from = isThree ? at + 1 : at
  const high = octets[from] ?? 0
  const low = octets[from + 1] ?? 0
  if (lead === 0x8e)
    return low >= 0xa1 && low <= 0xdf
      ? [String.fromCharCode(KANA + low - 0xa1), 2]
      : [undefined, isTail(low) ? 2 : 1]
  if (high < 0xa1 || low < 0xa1) return [undefined, 1]
  const text = x0213Character(isThree ? 2 : 1, high - 0xa0, low - 0xa0)
  if (!isThree || text !== undefined) return [text, isThree ? 3 : 2]
  // Rows that plane 2 leaves free are those of JIS X 0212.
  const other = new TextDecoder('euc-jp').decode(octets.subarray(at, at + 3))
  return [other.includes(BROKEN) ? undefined : other, 3]
}

/** Of lead octets F0 to F4: the odd and the even row of plane 2; from there on they follow 78. */
const SHIFTED_ROWS = [
  [1, 8],
  [3, 4],
  [5, 12],
  [13, 14],
  [15, 78],
] as const

function shiftedAt(octets: Octets, at: number): Found {
  const lead = octets[at]!
  if (lead >= 0xa1 && lead <= 0xdf) return [String.fromCharCode(KANA + lead - 0xa1), 1]
  const low = octets[at + 1] ?? 0
  if (lead === 0x80 || lead === 0xa0 || lead > 0xfc || low < 0x40 || low === 0x7f || low > 0xfc)
    return [undefined, 1]
  const index = low - (low > 0x7f ? 0x41 : 0x40)
  const isEven = index >= SIDE
  const cell = index - (isEven ? SIDE : 0) + 1
  const plane = lead >= 0xf0 ? 2 : 1
  const text = x0213Character(plane, shiftedRow(lead, isEven), cell)
  return [text, text === undefined && !isTail(low) ? 1 : 2]
}

function shiftedRow(lead: number, isEven: boolean): number {
  if (lead < 0xf0) return (lead - (lead < 0xa0 ? 0x81 : 0xc1)) * 2 + (isEven ? 2 : 1)
  const pair = SHIFTED_ROWS[lead - 0xf0]
  if (pair !== undefined) return pair[isEven ? 1 : 0]
  return 79 + (lead - 0xf5) * 2 + (isEven ? 1 : 0)
}

let made: readonly (readonly string[])[] | undefined

/** The cells of both planes; '' where there is no character. */
function planes(): readonly (readonly string[])[] {
  made ??= ([1, 2] as const).map((plane) => {
    const cells = plane === 1 ? cellsOfX0208() : Array.from({ length: SIDE * SIDE }, () => '')
    for (let row = 1; row <= SIDE; row++)
      for (const [at, text] of Array.from(X0213_ROWS[`${plane}-${row}`] ?? '').entries())
        if (text !== ' ') cells[(row - 1) * SIDE + at] = text
    return cells
  })
  return made
}

/** JIS X 0208 as Node has it, with the pairs in place: all of them lie in plane 1. */
function cellsOfX0208(): string[] {
  const decoder = new TextDecoder('euc-jp')
  return Array.from({ length: SIDE * SIDE }, (_, index) => {
    const row = Math.floor(index / SIDE) + 1
    const cell = (index % SIDE) + 1
    const pair = X0213_PAIRS[`1-${row}-${cell}`]
    if (pair !== undefined) return pair
    const text = decoder.decode(Uint8Array.of(row + 0xa0, cell + 0xa0))
    return text.includes(BROKEN) ? '' : text
  })
}
