import { assertNever } from '#base/outcome.ts'

import type { CharacterSet, Regex, RegexState } from './parse.ts'

interface How {
  readonly ignoresCase: 'never' | 'ascii' | 'unicode'
  /** Is told of work done; may throw. */
  readonly step: (count: number) => void
}

/** States looked at that cost a step. */
const STATES_PER_STEP = 4

/**
 * What the leftmost, longest match and its groups are (POSIX 9.1); undefined where there is none; a group
 * that took no part is empty. All ways are gone at once, so that it costs text × states, whatever the pattern.
 */
export function searchRegex(regex: Regex, text: string, how: How): readonly string[] | undefined {
  const { states } = regex
  const fold = FOLDS[how.ignoresCase]
  let now = new Threads(states.length)
  let next = new Threads(states.length)
  let best: Saved | undefined
  let looked = 0
  for (let at = 0; ;) {
    const code = text.codePointAt(at)
    const width = code !== undefined && code > 0xffff ? 2 : 1
    // A match that begins later is none where one has begun already.
    if (best === undefined) addThread(now, 0, { at, end: text.length, states, saved: undefined })
    if (now.count === 0 && best !== undefined) break
    for (let i = 0; i < now.count; i++) {
      const index = now.list[i]!
      const saved = now.saved[i]
      const state = states[index]!
      if (state.op === 'match') {
        if (best === undefined || isBetter(saved!, best)) best = saved
      } else if (code !== undefined && takes(state, code, fold))
        addThread(next, index + 1, { at: at + width, end: text.length, states, saved })
    }
    // Saving copies the places of all groups.
    looked += now.count * (1 + regex.groups / 8) + 1
    if (looked > 1_000) {
      how.step(looked / STATES_PER_STEP)
      looked = 0
    }
    if (code === undefined) break
    at += width
    const spent = now
    now = next
    next = spent
    next.count = 0
    next.mark++
  }
  return best === undefined ? undefined : groupsOf(best, regex.groups, text)
}

/** Where groups begin and end, by slot; the whole match has 0 and 1. */
type Saved = readonly (number | undefined)[]

class Threads {
  readonly list: Uint16Array
  readonly saved: (Saved | undefined)[] = []
  readonly seen: Uint32Array
  /** States that are still to be added, with what was saved on the way to them. */
  readonly stack: number[] = []
  readonly stackSaved: (Saved | undefined)[] = []
  count = 0
  mark = 1

  constructor(size: number) {
    this.list = new Uint16Array(size)
    this.seen = new Uint32Array(size)
  }
}

interface Place {
  readonly at: number
  readonly end: number
  readonly states: readonly RegexState[]
  readonly saved: Saved | undefined
}

/** The state and all that it leads to without a character, in their order. */
function addThread(threads: Threads, start: number, place: Place): void {
  const { stack, stackSaved, seen, mark } = threads
  const { at, end, states } = place
  let depth = 1
  stack[0] = start
  stackSaved[0] = place.saved
  while (depth > 0) {
    const index = stack[--depth]!
    if (seen[index] === mark) continue
    seen[index] = mark
    const state = states[index]!
    let saved = stackSaved[depth]
    let to = index + 1
    switch (state.op) {
      case 'split':
        stack[depth] = state.other
        stackSaved[depth++] = saved
        to = state.to
        break
      case 'jump':
        to = state.to
        break
      case 'save':
        saved = withSlot(saved, state.slot, at)
        break
      case 'begin':
        if (at !== 0) continue
        break
      case 'end':
        if (at !== end) continue
        break
      case 'any':
      case 'character':
      case 'set':
      case 'match':
        threads.saved[threads.count] = saved
        threads.list[threads.count++] = index
        continue
      default:
        assertNever(state)
    }
    stack[depth] = to
    stackSaved[depth++] = saved
  }
}

function takes(state: RegexState, code: number, fold: Fold): boolean {
  switch (state.op) {
    case 'any':
      return true
    case 'character':
      return code === state.code || fold(code).includes(state.code)
    case 'set':
      return state.set.isNegated !== (inSet(state.set, code) || isFoldIn(state.set, code, fold))
    case 'begin':
    case 'end':
    case 'match':
    case 'split':
    case 'jump':
    case 'save':
      return false
    default:
      return assertNever(state)
  }
}

const isFoldIn = (set: CharacterSet, code: number, fold: Fold): boolean =>
  fold(code).some((other) => inSet(set, other))

const inSet = ({ ranges }: CharacterSet, code: number): boolean =>
  ranges.some(([from, to]) => code >= from && code <= to)

/** The same character in its other case. */
type Fold = (code: number) => readonly number[]
const NONE: readonly number[] = []
const ASCII: readonly (readonly number[])[] = Array.from({ length: 128 }, (_, code) => {
  const isUpper = code >= 0x41 && code <= 0x5a
  const isLower = code >= 0x61 && code <= 0x7a
  return isUpper || isLower ? [code ^ 0x20] : NONE
})
const FOLDS: Readonly<Record<How['ignoresCase'], Fold>> = {
  never: () => NONE,
  ascii: (code) => ASCII[code] ?? NONE,
  unicode: (code) => {
    if (code < 128) return ASCII[code]!
    const sign = String.fromCodePoint(code)
    return [sign.toLowerCase().codePointAt(0)!, sign.toUpperCase().codePointAt(0)!]
  },
}

function withSlot(saved: Saved | undefined, slot: number, at: number): Saved {
  const copy = saved === undefined ? [] : saved.slice()
  copy[slot] = at
  return copy
}

const groupsOf = (best: Saved, count: number, text: string): readonly string[] =>
  Array.from({ length: count }, (_, i) => {
    const [from, to] = [best[i * 2], best[i * 2 + 1]]
    return from === undefined || to === undefined ? '' : text.slice(from, to)
  })

/** Leftmost first, then the longest. */
const isBetter = (saved: Saved, best: Saved): boolean =>
  saved[0]! < best[0]! || (saved[0] === best[0] && saved[1]! > best[1]!)
