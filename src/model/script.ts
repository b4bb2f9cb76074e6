import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'

/** Characters of a script's name: RFC 5804 §1.6 wants at least 128; in UTF-8 they are 512 octets at most. */
const SCRIPT_NAME_CHARS_MAX = 128
export const SCRIPT_NAME_BYTES_MAX = 4 * SCRIPT_NAME_CHARS_MAX
/** Scripts that an account may keep; one of them is active. */
export const SCRIPTS_PER_ACCOUNT_MAX = 64

/** One Sieve script of an account as a list shows it; at most one is active (RFC 5804 §1.4). */
export interface ScriptEntry {
  /** Stays the same whatever it is called. */
  readonly id: string
  readonly name: string
  readonly active: boolean
  readonly sizeBytes: number
  /** Of its text, in hexadecimal. */
  readonly digest: string
}

/** One script of another system. */
export interface ForeignScript {
  readonly name: string
  readonly text: string
  /** It filtered there. */
  readonly active: boolean
}

// RFC 5804 §1.6: no controls, no line or paragraph separators.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** A script's name in its one form (RFC 5198 §3: normalised, so that が is が however it was typed); or why it is none. */
export function parseScriptName(text: string): Outcome<string, string> {
  if (!text.isWellFormed()) return err('the name of the script is not Unicode')
  const name = text.normalize('NFC')
  if (name === '') return err('the name of the script is empty')
  if (FORBIDDEN.test(name)) return err('the name of the script has a control character in it')
  const length = Array.from(name).length
  return length <= SCRIPT_NAME_CHARS_MAX
    ? ok(name)
    : err(`the name of the script has ${length} characters, ${SCRIPT_NAME_CHARS_MAX} are the most`)
}
