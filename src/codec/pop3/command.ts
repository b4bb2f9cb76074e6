import { toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

export const POP3_VERBS = [
  'AUTH',
  'CAPA',
  'DELE',
  'LANG',
  'LIST',
  'NOOP',
  'PASS',
  'QUIT',
  'RETR',
  'RSET',
  'STAT',
  'STLS',
  'TOP',
  'UIDL',
  'USER',
  'UTF8',
] as const
export type Pop3Verb = (typeof POP3_VERBS)[number]

/** One command line (RFC 1939 §3); arguments are one character an octet. */
export interface Pop3Command {
  readonly verb: Pop3Verb
  /** Split at blanks; for PASS the whole rest of the line, blanks included (RFC 1939 §7). */
  readonly args: readonly string[]
}

/** Parses a line without its CRLF; undefined for what is no command of ours. Total. */
export function parsePop3Command(line: Octets): Pop3Command | undefined {
  const text = toLatin1(line)
  const blank = text.indexOf(' ')
  const word = (blank < 0 ? text : text.slice(0, blank)).toUpperCase()
  const verb = POP3_VERBS.find((known) => known === word)
  if (verb === undefined) return undefined
  const rest = blank < 0 ? '' : text.slice(blank + 1)
  if (verb === 'PASS') return { verb, args: blank < 0 ? [] : [rest] }
  return { verb, args: rest.split(' ').filter((arg) => arg !== '') }
}

/** A message number or a count of lines; undefined where it is none. */
export function parsePop3Number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
