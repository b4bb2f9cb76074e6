import { toUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { asciiUpper } from '#base/text.ts'

/** A command line: its verb in capitals, and what follows without blanks around it. */
export interface CommandLine {
  readonly verb: string
  readonly rest: string
}

/**
 * RFC 5321 §4.1.1. Controls (a bare CR or LF, NUL) and octets that are not UTF-8 spoil the line; only
 * in greetings such octets become U+FFFD, since PCs say their names in whatever charset they have.
 */
export function parseCommandLine(
  line: Octets,
): Outcome<CommandLine, 'controls' | 'notUtf8' | 'noVerb'> {
  const text = toUtf8Strict(line) ?? greeting(line)
  if (text === undefined) return err('notUtf8')
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)) return err('controls')
  const match = /^([A-Za-z][A-Za-z0-9-]*)(?:[ \t]+(.*))?$/.exec(text.trimEnd())
  if (match === null) return err('noVerb')
  return ok({ verb: asciiUpper(match[1]!), rest: (match[2] ?? '').trim() })
}

function greeting(line: Octets): string | undefined {
  const text = toUtf8(line)
  return /^(?:EHLO|HELO|LHLO)[ \t]/i.test(text) ? text : undefined
}

/** Says what EHLO, HELO and LHLO name: a domain or an address literal, as lenient as the world needs. */
export const isHeloName = (text: string): boolean =>
  text.length <= 255 &&
  /^[!-~\u00a1-\u{10ffff}]+$/u.test(text) &&
  !/[<>()"\\,;\u2028\u2029]/.test(text)

/** The operands of BDAT (RFC 3030 §2). */
export interface BdatCommand {
  readonly sizeBytes: number
  readonly last: boolean
}

/** Undefined where size or LAST cannot be read: then nobody knows where the chunk ends. */
export function parseBdat(rest: string): BdatCommand | undefined {
  const match = /^(\d{1,15})(?:[ \t]+(LAST))?$/i.exec(rest)
  return match === null ? undefined : { sizeBytes: Number(match[1]), last: match[2] !== undefined }
}
