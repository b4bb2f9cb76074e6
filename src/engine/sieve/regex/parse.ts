import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'

/** Instructions of one pattern, its counted repeats written out. */
const REGEX_STATES_MAX = 4_096
const PATTERN_CHARACTERS_MAX = 8_192
/** Counts behind one another, `a{2}{3}`. */
const REPEATS_MAX = 4
const REPEAT_MAX = 255 // POSIX RE_DUP_MAX
const GROUPS_MAX = 64
const DEPTH_MAX = 64

/** A set of characters: ranges of code points, both ends included. */
export interface CharacterSet {
  readonly ranges: readonly (readonly [from: number, to: number])[]
  readonly isNegated: boolean
}

export type RegexState =
  | { readonly op: 'set'; readonly set: CharacterSet }
  | { readonly op: 'character'; readonly code: number }
  | { readonly op: 'any' | 'begin' | 'end' | 'match' }
  | { readonly op: 'split'; to: number; other: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }

export interface Regex {
  readonly states: readonly RegexState[]
  readonly groups: number
}

/**
 * A pattern of POSIX extended regular expressions (draft-ietf-sieve-regex §3) as states of a machine that
 * never goes back in the text. Total; back-references are refused, since no such machine has them.
 */
export function parseRegex(pattern: string): Outcome<Regex, string> {
  try {
    return ok(new RegexParser(pattern).regex())
  } catch (thrown) {
    if (thrown instanceof PatternError) return err(thrown.message)
    throw thrown
  }
}

class PatternError extends Error {}

type Node =
  | { readonly kind: 'state'; readonly state: RegexState }
  | { readonly kind: 'all' | 'any'; readonly nodes: readonly Node[] }
  | { readonly kind: 'group'; readonly index: number; readonly node: Node }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number }

const CLASSES: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  alpha: [[0x41, 0x5a], [0x61, 0x7a]],
  digit: [[0x30, 0x39]],
  alnum: [[0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]],
  upper: [[0x41, 0x5a]],
  lower: [[0x61, 0x7a]],
  space: [[0x09, 0x0d], [0x20, 0x20]],
  blank: [[0x09, 0x09], [0x20, 0x20]],
  punct: [[0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]],
  print: [[0x20, 0x7e]],
  graph: [[0x21, 0x7e]],
  cntrl: [[0x00, 0x1f], [0x7f, 0x7f]],
  xdigit: [[0x30, 0x39], [0x41, 0x46], [0x61, 0x66]],
} // prettier-ignore

/** Beyond POSIX, as people write them. */
const ESCAPED: Readonly<Record<string, CharacterSet>> = Object.fromEntries(
  (
    [
      ['d', CLASSES['digit']!],
      ['s', CLASSES['space']!],
      ['w', [...CLASSES['alnum']!, [0x5f, 0x5f]]],
    ] as const
  ).flatMap(([name, ranges]) => [
    [name, { ranges, isNegated: false }],
    [name.toUpperCase(), { ranges, isNegated: true }],
  ]),
)

class RegexParser {
  readonly #signs: readonly string[]
  readonly #states: RegexState[] = []
  #at = 0
  #groups = 0
  #emitted = 0

  constructor(pattern: string) {
    this.#signs = Array.from(pattern)
  }

  regex(): Regex {
    if (this.#signs.length > PATTERN_CHARACTERS_MAX)
      this.#fail(`it is longer than ${PATTERN_CHARACTERS_MAX} characters`)
    const node = this.#alternatives(0)
    if (this.#at < this.#signs.length) this.#fail('a ) has no (')
    this.#emit({ kind: 'group', index: 0, node })
    this.#push({ op: 'match' })
    return { states: this.#states, groups: this.#groups + 1 }
  }

  #fail(message: string): never {
    throw new PatternError(message)
  }

  #eat(sign: string): boolean {
    if (this.#signs[this.#at] !== sign) return false
    this.#at++
    return true
  }

  #alternatives(depth: number): Node {
    if (depth > DEPTH_MAX) this.#fail(`groups nest deeper than ${DEPTH_MAX}`)
    const nodes: Node[] = []
    do nodes.push(this.#sequence(depth))
    while (this.#eat('|'))
    return nodes.length === 1 ? nodes[0]! : { kind: 'any', nodes }
  }

  #sequence(depth: number): Node {
    const nodes: Node[] = []
    for (;;) {
      const sign = this.#signs[this.#at]
      if (sign === undefined || sign === '|' || (sign === ')' && depth > 0)) break
      if (sign === ')') this.#fail('a ) has no (')
      let node = this.#atom(sign, depth)
      let repeats = 0
      for (let repeat = this.#repeat(); repeat !== undefined; repeat = this.#repeat()) {
        if (++repeats > REPEATS_MAX) this.#fail(`more than ${REPEATS_MAX} repeats stand in a row`)
        node = { kind: 'repeat', node, ...repeat }
      }
      nodes.push(node)
    }
    return { kind: 'all', nodes }
  }

  #atom(sign: string, depth: number): Node {
    this.#at++
    if (sign === '(') {
      const index = ++this.#groups
      if (index >= GROUPS_MAX) this.#fail(`there are more than ${GROUPS_MAX - 1} groups`)
      const node = this.#alternatives(depth + 1)
      if (!this.#eat(')')) this.#fail('a ( has no )')
      return { kind: 'group', index, node }
    }
    if (sign === '[') return { kind: 'state', state: { op: 'set', set: this.#bracket() } }
    if (sign === '.') return { kind: 'state', state: { op: 'any' } }
    if (sign === '^') return { kind: 'state', state: { op: 'begin' } }
    if (sign === '$') return { kind: 'state', state: { op: 'end' } }
    if (sign === '*' || sign === '+' || sign === '?') this.#fail(`a ${sign} repeats nothing`)
    // POSIX leaves it open; a brace that begins no count is itself.
    if (sign !== '\\') return character(sign)
    const escaped = this.#signs[this.#at++]
    if (escaped === undefined) this.#fail('a \\ stands at the end')
    if (/[1-9]/.test(escaped)) this.#fail('references back are not supported')
    const set = Object.hasOwn(ESCAPED, escaped) ? ESCAPED[escaped] : undefined
    return set === undefined ? character(escaped) : { kind: 'state', state: { op: 'set', set } }
  }

  #repeat(): { readonly min: number; readonly max: number } | undefined {
    if (this.#eat('*')) return { min: 0, max: Infinity }
    if (this.#eat('+')) return { min: 1, max: Infinity }
    if (this.#eat('?')) return { min: 0, max: 1 }
    if (this.#signs[this.#at] !== '{') return undefined
    const rest = this.#signs.slice(this.#at, this.#at + 12).join('')
    const match = /^\{(\d{1,4})(?:(,)(\d{1,4})?)?\}/.exec(rest)
    if (match === null)
      return /^\{\d/.test(rest) ? this.#fail('a count of { } is wrong') : undefined
    this.#at += match[0].length
    const min = Number(match[1])
    const max = match[2] === undefined ? min : match[3] === undefined ? Infinity : Number(match[3])
    if (min > REPEAT_MAX || (max !== Infinity && max > REPEAT_MAX) || max < min)
      this.#fail(`a count of { } is wrong or beyond ${REPEAT_MAX}`)
    return { min, max }
  }

  /** POSIX 9.3.5; a ] that stands first is one of the characters. */
  #bracket(): CharacterSet {
    const isNegated = this.#eat('^')
    const ranges: (readonly [number, number])[] = []
    for (let isFirst = true; ; isFirst = false) {
      const sign = this.#signs[this.#at]
      if (sign === undefined) this.#fail('a [ has no ]')
      if (sign === ']' && !isFirst) break
      if (sign === '[' && this.#signs[this.#at + 1] === ':') {
        ranges.push(...this.#class())
        continue
      }
      const from = this.#bracketCharacter()
      const isRange = this.#signs[this.#at] === '-' && (this.#signs[this.#at + 1] ?? ']') !== ']'
      if (!isRange) {
        ranges.push([from, from])
        continue
      }
      this.#at++
      const to = this.#bracketCharacter()
      if (to < from) this.#fail('a range in [ ] ends before it begins')
      ranges.push([from, to])
    }
    this.#at++
    return { ranges, isNegated }
  }

  #bracketCharacter(): number {
    const sign = this.#signs[this.#at++]
    const opens = sign === '[' && (this.#signs[this.#at] === '.' || this.#signs[this.#at] === '=')
    if (!opens) return (sign ?? this.#fail('a [ has no ]')).codePointAt(0)!
    // Collating elements and classes of one character.
    const [kind, inside, end, close] = this.#signs.slice(this.#at, this.#at + 4)
    if (inside === undefined || end !== kind || close !== ']')
      this.#fail('a collating element has one character')
    this.#at += 4
    return inside.codePointAt(0)!
  }

  #class(): readonly (readonly [number, number])[] {
    const rest = this.#signs.slice(this.#at, this.#at + 12).join('')
    const name = /^\[:([a-z]+):\]/.exec(rest)?.[1]
    if (name === undefined || !Object.hasOwn(CLASSES, name))
      this.#fail('there is no such class of characters')
    this.#at += name.length + 4
    return CLASSES[name]!
  }

  #push(state: RegexState): number {
    if (this.#states.length >= REGEX_STATES_MAX)
      this.#fail(`it needs more than ${REGEX_STATES_MAX} states`)
    return this.#states.push(state) - 1
  }

  #emit(node: Node): void {
    // Repeats of what is repeated no time leave no state, and take their time all the same.
    if (++this.#emitted > 8 * REGEX_STATES_MAX) this.#fail('its repeats are too many')
    if (node.kind === 'state') this.#push(node.state)
    else if (node.kind === 'all') for (const each of node.nodes) this.#emit(each)
    else if (node.kind === 'group') {
      this.#push({ op: 'save', slot: node.index * 2 })
      this.#emit(node.node)
      this.#push({ op: 'save', slot: node.index * 2 + 1 })
    } else if (node.kind === 'repeat') this.#emitRepeat(node)
    else this.#emitAny(node.nodes)
  }

  #emitAny(nodes: readonly Node[]): void {
    const jumps: { to: number }[] = []
    for (const [i, node] of nodes.entries()) {
      if (i === nodes.length - 1) {
        this.#emit(node)
        break
      }
      const split = { op: 'split' as const, to: 0, other: 0 }
      split.to = this.#push(split) + 1
      this.#emit(node)
      const jump = { op: 'jump' as const, to: 0 }
      this.#push(jump)
      jumps.push(jump)
      split.other = this.#states.length
    }
    for (const jump of jumps) jump.to = this.#states.length
  }

  #emitRepeat({ node, min, max }: Extract<Node, { kind: 'repeat' }>): void {
    for (let i = 0; i < min; i++) this.#emit(node)
    if (max === Infinity) {
      const split = { op: 'split' as const, to: 0, other: 0 }
      const at = this.#push(split)
      split.to = at + 1
      this.#emit(node)
      this.#push({ op: 'jump', to: at })
      split.other = this.#states.length
      return
    }
    const splits: { other: number }[] = []
    for (let i = min; i < max; i++) {
      const split = { op: 'split' as const, to: 0, other: 0 }
      split.to = this.#push(split) + 1
      splits.push(split)
      this.#emit(node)
    }
    for (const split of splits) split.other = this.#states.length
  }
}

const character = (sign: string): Node => ({
  kind: 'state',
  state: { op: 'character', code: sign.codePointAt(0)! },
})
