import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { Scanner } from './scanner.ts'

/** Flags as a client names them: system flags as bits, keywords by name. */
export interface FlagList {
  readonly bits: number
  readonly keywords: readonly string[]
}

const BIT = new Map(SYSTEM_FLAGS.map((flag, index) => [flag.toUpperCase(), 1 << index]))
const KEYWORD_LENGTH_MAX = 255

/** The bit of a system flag, by its name without case. */
export const systemFlagBit = (name: string): number | undefined => BIT.get(name.toUpperCase())

function readFlag(scanner: Scanner): string {
  return scanner.skip('\\') ? `\\${scanner.atom()}` : scanner.atom()
}

function gather(scanner: Scanner, names: readonly string[]): FlagList {
  let bits = 0
  const keywords: string[] = []
  for (const name of names) {
    const bit = systemFlagBit(name)
    if (bit !== undefined) bits |= bit
    else if (name.startsWith('\\')) {
      // RFC 3501 §2.3.2: \Recent is the server's alone; clients that copy flags send it all the same.
      if (name.toUpperCase() !== '\\RECENT') scanner.fail('Unknown system flag')
    } else if (name.length > KEYWORD_LENGTH_MAX || !/^[\u0021-\u007e]+$/.test(name))
      scanner.fail('Bad keyword')
    else if (!keywords.some((known) => known.toUpperCase() === name.toUpperCase()))
      keywords.push(name)
  }
  return { bits, keywords }
}

/** `(\Seen $Forwarded)`. */
export const readFlagList = (scanner: Scanner): FlagList =>
  gather(
    scanner,
    scanner.list(() => readFlag(scanner)),
  )

/** STORE takes a list without its parentheses too. */
export function readStoreFlags(scanner: Scanner): FlagList {
  if (scanner.peek() === '(') return readFlagList(scanner)
  const names: string[] = []
  do names.push(readFlag(scanner))
  while (scanner.skip(' '))
  return gather(scanner, names)
}

/** The flags with \Recent, which no client can change (RFC 3501 §2.3.2). */
export const formatRecentFlags = (flags: number, keywords: readonly string[]): string =>
  formatFlags(flags, keywords)
    .replace(/^\((?!\))/, '(\\Recent ')
    .replace('()', '(\\Recent)')

/** Bits and keyword slots as `(\Seen $Forwarded)`. */
export function formatFlags(flags: number, keywords: readonly string[]): string {
  if (flags === 0) return '()'
  if (flags === 1) return '(\\Seen)'
  const names: string[] = []
  for (let bit = 0; bit < SYSTEM_FLAGS.length; bit++)
    if ((flags & (1 << bit)) !== 0) names.push(SYSTEM_FLAGS[bit]!)
  for (let slot = 0; slot < keywords.length; slot++)
    if ((flags & (1 << (SYSTEM_FLAGS.length + slot))) !== 0) names.push(keywords[slot]!)
  return `(${names.join(' ')})`
}
