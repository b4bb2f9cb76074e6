import { asciiLower } from '#base/text.ts'

import { checkedTexts } from './arguments.ts'
import type { Arguments } from './arguments.ts'
import { fail } from './language.ts'
import type { SieveTexts } from './language.ts'

/** RFC 5322 §2.2 */
const FIELD_NAME = /^[!-9;-~]+$/

/** Takes names of header fields; they come in lower case. */
export const takeFieldNames = (args: Arguments): SieveTexts =>
  checkedTexts(args.texts('names of fields'), (names) => names.map(fieldName))

export const fieldName = (name: string): string =>
  FIELD_NAME.test(name) ? asciiLower(name) : fail(`"${name}" is no name of a field`)
