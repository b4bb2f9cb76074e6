import { MATCHED_MAX } from './variables.ts'

/** `*`, `?` and `\` of RFC 5228 §2.7.1, read once. `?` is one character, not one octet. */
export interface SieveGlob {
  /** Stretches between stars: where they lie the stars are what is left. */
  readonly stretches: readonly (readonly GlobPart[])[]
}

/** Text, or one character whatever it is. */
type GlobPart = string | undefined

export function parseGlob(pattern: string): SieveGlob {
  const stretches: GlobPart[][] = [[]]
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at]!
    const stretch = stretches.at(-1)!
    if (sign === '*') stretches.push([])
    else if (sign === '?') stretch.push(undefined)
    else {
      const text = sign === '\\' && at + 1 < pattern.length ? pattern[++at]! : sign
      if (typeof stretch.at(-1) === 'string') stretch[stretch.length - 1] += text
      else stretch.push(text)
    }
  }
  return { stretches }
}

/**
 * What stands in place of the wildcards, in their order, as places in the text; undefined where it does
 * not match. Each star takes the least that it can (RFC 5229 §3.2): a stretch lies where it is
 * first found behind the one before, the last at the end. Costs text × pattern at most.
 */
export function matchGlob(
  { stretches }: SieveGlob,
  text: string,
): readonly (readonly [from: number, to: number])[] | undefined {
  const places: [number, number][] = []
  const ones: [number, number][] = []
  const last = stretches.length - 1
  let at = endOf(stretches[0]!, text, 0, ones)
  if (at < 0) return undefined
  places.push(...ones)
  if (last === 0) return at === text.length ? places : undefined
  for (let i = 1; i < last; i++) {
    const star = at
    const found = find(stretches[i]!, text, at, ones)
    if (found === undefined) return undefined
    places.push([star, found.from], ...ones)
    at = found.to
    if (places.length > MATCHED_MAX) places.length = MATCHED_MAX
  }
  const from = startAtEnd(stretches[last]!, text)
  if (from < at) return undefined
  if (endOf(stretches[last]!, text, from, ones) !== text.length) return undefined
  places.push([at, from], ...ones)
  return places
}

/** Where the stretch ends that begins at `from`, or -1; `ones` are the places of its `?`. */
function endOf(
  stretch: readonly GlobPart[],
  text: string,
  from: number,
  ones: [number, number][],
): number {
  ones.length = 0
  let at = from
  for (const part of stretch) {
    if (part === undefined) {
      if (at >= text.length) return -1
      const to = at + widthAt(text, at)
      if (ones.length < MATCHED_MAX) ones.push([at, to])
      at = to
    } else if (text.startsWith(part, at)) at += part.length
    else return -1
  }
  return at
}

function find(
  stretch: readonly GlobPart[],
  text: string,
  from: number,
  ones: [number, number][],
): { readonly from: number; readonly to: number } | undefined {
  const [head] = stretch
  for (let at = from; at <= text.length; at++) {
    if (typeof head === 'string') {
      at = text.indexOf(head, at)
      if (at < 0) return undefined
    }
    const to = endOf(stretch, text, at, ones)
    if (to >= 0) return { from: at, to }
    if (at < text.length && widthAt(text, at) === 2) at++
  }
  return undefined
}

/** Where the stretch would have to begin to end with the text. */
function startAtEnd(stretch: readonly GlobPart[], text: string): number {
  let at = text.length
  for (let i = stretch.length - 1; i >= 0; i--) {
    const part = stretch[i]
    if (part !== undefined) at -= part.length
    else at -= at >= 2 && widthAt(text, at - 2) === 2 ? 2 : 1
    if (at < 0) return -1
  }
  return at
}

const widthAt = (text: string, at: number): number => (text.codePointAt(at)! > 0xffff ? 2 : 1)
