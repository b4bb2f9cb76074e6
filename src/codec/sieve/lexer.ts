import type { SieveError } from './ast.ts'

/** `start` and `end`: where it stands in the script, quotes and all. */
export type SieveToken = {
  readonly line: number
  readonly start: number
  readonly end: number
} & (
  | { readonly kind: 'identifier' | 'tag'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'mark'; readonly mark: '{' | '}' | '[' | ']' | '(' | ')' | ',' | ';' }
  | { readonly kind: 'end' }
)

export class SieveSyntaxError extends Error {
  readonly at: SieveError
  constructor(at: SieveError) {
    super(at.message)
    this.at = at
  }
}

/** RFC 5228 §2.4.1 asks for 31 bits; mails and quotas are told in more. */
const NUMBER_MAX = Number.MAX_SAFE_INTEGER
const UNITS: Readonly<Record<string, number>> = { k: 1_024, m: 1_024 ** 2, g: 1_024 ** 3 }

/** Cuts a script into tokens; throws SieveSyntaxError at the first that is none. */
export function lexSieve(text: string): SieveToken[] {
  const tokens: SieveToken[] = []
  let line = 1
  let at = 0
  const fail = (message: string): never => {
    throw new SieveSyntaxError({ line, message })
  }
  const countLines = (piece: string): void => {
    for (let i = piece.indexOf('\n'); i >= 0; i = piece.indexOf('\n', i + 1)) line++
  }
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) return undefined
    at = pattern.lastIndex
    return match[0]
  }
  const nul = text.indexOf('\0') // RFC 5228 §8.1: no octet of a script is NUL
  if (nul >= 0) {
    countLines(text.slice(0, nul))
    fail('there is a NUL in the script')
  }
  while (at < text.length) {
    const blank = take(/(?:[ \t\r\n]|#[^\n]*)+/y)
    if (blank !== undefined) {
      countLines(blank)
      continue
    }
    if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2)
      if (end < 0) fail('a comment that begins with /* never ends')
      countLines(text.slice(at, end))
      at = end + 2
      continue
    }
    const startLine = line
    const start = at
    const multi = take(/text:[ \t]*(?:#[^\n]*)?\r?\n/iy)
    if (multi !== undefined) {
      line++
      tokens.push({ kind: 'string', text: multiLine(), line: startLine, start, end: at })
      continue
    }
    const word = take(/[A-Za-z_][A-Za-z0-9_]*/y)
    if (word !== undefined) {
      tokens.push({ kind: 'identifier', text: word.toLowerCase(), line, start, end: at })
      continue
    }
    const tag = take(/:[A-Za-z_][A-Za-z0-9_]*/y)
    if (tag !== undefined) {
      tokens.push({ kind: 'tag', text: tag.slice(1).toLowerCase(), line, start, end: at })
      continue
    }
    const number = take(/[0-9]+[KMGkmg]?/y)
    if (number !== undefined) {
      const value = Number.parseInt(number, 10) * (UNITS[number.at(-1)!.toLowerCase()] ?? 1)
      if (value > NUMBER_MAX) fail(`the number ${number} is too large`)
      tokens.push({ kind: 'number', value, line, start, end: at })
      continue
    }
    const quoted = take(/"(?:[^"\\]|\\[\s\S])*"/y)
    if (quoted !== undefined) {
      countLines(quoted)
      // RFC 5228 §2.4.2: an unknown escape means the character itself.
      tokens.push({
        kind: 'string',
        text: quoted
          .slice(1, -1)
          .replace(/\\([\s\S])/g, '$1')
          .replace(/\r?\n/g, '\r\n'), // RFC 5228 §2.4.2: lines end with CRLF, however the script was stored
        line: startLine,
        start,
        end: at,
      })
      continue
    }
    const mark = text[at]!
    if (!'{}[](),;'.includes(mark))
      fail(mark === '"' ? 'a string that begins with " never ends' : `unexpected character ${mark}`)
    tokens.push({ kind: 'mark', mark: mark as ';', line, start, end: ++at })
  }
  tokens.push({ kind: 'end', line, start: at, end: at })
  return tokens

  /** RFC 5228 §2.4.2.1: ends at a line of one dot; a leading dot is doubled. */
  function multiLine(): string {
    const lines: string[] = []
    for (;;) {
      if (at >= text.length) fail('a text: string never ends with a line of one dot')
      const feed = text.indexOf('\n', at)
      const end = feed < 0 ? text.length : feed
      const raw = text.slice(at, end).replace(/\r$/, '')
      at = feed < 0 ? text.length : feed + 1
      line++
      if (raw === '.') break
      lines.push(raw.startsWith('.') ? raw.slice(1) : raw)
    }
    return lines.map((each) => `${each}\r\n`).join('')
  }
}
