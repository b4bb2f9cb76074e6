import { asciiLower } from '#base/text.ts'

import { checkedTexts } from './arguments.ts'
import type { Arguments } from './arguments.ts'
import { fail } from './language.ts'
import type { SieveTexts } from './language.ts'

/** RFC 5322 §2.2 */
const FIELD_NAME = /^[!-9;-~]+$/

/**
 * Takes names of header fields that are looked at; they come in lower case. What is no name is no
 * error: no field has it (RFC 5228 §2.4.2.2).
 */
export const takeFieldNames = (args: Arguments): SieveTexts =>
  checkedTexts(args.texts('names of fields'), (names) => names.map(asciiLower))

export const fieldName = (name: string): string =>
  FIELD_NAME.test(name) ? asciiLower(name) : fail(`"${name}" is no name of a field`)
