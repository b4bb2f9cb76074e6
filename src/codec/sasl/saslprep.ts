import {
  LEFT_TO_RIGHT,
  NOTHING,
  PROHIBITED,
  RIGHT_TO_LEFT,
  SPACES,
  UNASSIGNED,
} from './stringprep-tables.ts'

/**
 * A name or password as SASL compares it (RFC 4013), as a stored string: undefined where it holds what
 * is prohibited or not assigned in Unicode 3.2, or where nothing is left. NFKC is that of today: of
 * characters of Unicode 3.2 it is the same but for five corrected ideographs of Plane 2.
 */
export function saslPrep(text: string): string | undefined {
  const tables = (read ??= readTables())
  let mapped = ''
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (tables.spaces.has(code)) mapped += ' '
    else if (!tables.nothing.has(code)) mapped += character
  }
  const normal = mapped.normalize('NFKC')
  const codes = Array.from(normal, (character) => character.codePointAt(0)!)
  const isRefused = codes.some((code) => tables.prohibited.has(code) || tables.unassigned.has(code))
  return codes.length === 0 || isRefused || !isBidiSound(codes, tables) ? undefined : normal
}

/** RFC 3454 §6. */
function isBidiSound(codes: readonly number[], { rightToLeft, leftToRight }: Tables): boolean {
  if (!codes.some((code) => rightToLeft.has(code))) return true
  const ends = [codes[0]!, codes.at(-1)!]
  return ends.every((code) => rightToLeft.has(code)) && !codes.some((code) => leftToRight.has(code))
}

interface Tables {
  readonly spaces: Ranges
  readonly nothing: Ranges
  readonly prohibited: Ranges
  readonly unassigned: Ranges
  readonly rightToLeft: Ranges
  readonly leftToRight: Ranges
}

/** Read when first asked for: most processes never are. */
let read: Tables | undefined

const readTables = (): Tables => ({
  spaces: new Ranges(SPACES),
  nothing: new Ranges(NOTHING),
  prohibited: new Ranges(PROHIBITED),
  unassigned: new Ranges(UNASSIGNED),
  rightToLeft: new Ranges(RIGHT_TO_LEFT),
  leftToRight: new Ranges(LEFT_TO_RIGHT),
})

/** Ranges of code points as `stringprep-tables.ts` writes them. */
class Ranges {
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  constructor(text: string) {
    let last = 0
    for (const word of text.split(' ')) {
      const [distance = '', more = '0'] = word.split('.')
      const start = last + Number.parseInt(distance, 36)
      last = start + Number.parseInt(more, 36)
      this.#starts.push(start)
      this.#ends.push(last)
    }
  }

  has(code: number): boolean {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#starts[middle]! <= code) low = middle + 1
      else high = middle
    }
    return low > 0 && code <= this.#ends[low - 1]!
  }
}
