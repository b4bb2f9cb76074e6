/** Lower-cases A–Z only: protocol words compare in ASCII, whatever the locale. */
export const asciiLower = (text: string): string =>
  BEYOND_ASCII.test(text)
    ? HAS_CAPITALS.test(text)
      ? text.replace(/[A-Z]+/g, (run) => run.toLowerCase())
      : text
    : text.toLowerCase()

export const asciiUpper = (text: string): string =>
  BEYOND_ASCII.test(text) ? text.replace(/[a-z]+/g, (run) => run.toUpperCase()) : text.toUpperCase()

const HAS_CAPITALS = /[A-Z]/
const BEYOND_ASCII = /[^\u0000-\u007f]/

export const equalAsciiIgnoreCase = (a: string, b: string): boolean =>
  a.length === b.length && asciiLower(a) === asciiLower(b)

/** The text as one safe line: controls and line separators become a blank, the end is cut. */
export function oneLine(text: string, lengthMax = 500): string {
  const clean = text.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, ' ').trim()
  return clean.length <= lengthMax ? clean : `${clean.slice(0, lengthMax - 1)}…`
}

/** `1 message`, `2 messages`. */
export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
