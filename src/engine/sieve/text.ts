import { decodeEncodedCharacters } from '#codec/sieve/encoded-character.ts'

import { constantText, constantTexts, fail } from './language.ts'
import type { SieveText, SieveTexts } from './language.ts'

/** A string of a script with the extensions that it requires: encoded characters come first (RFC 5229 §3). */
export function textOf(text: string, required: ReadonlySet<string>): SieveText {
  return constantText(decoded(text, required))
}

export function textsOf(texts: readonly string[], required: ReadonlySet<string>): SieveTexts {
  return constantTexts(texts.map((text) => decoded(text, required)))
}

const decoded = (text: string, required: ReadonlySet<string>): string =>
  required.has('encoded-character')
    ? (decodeEncodedCharacters(text) ?? fail('an encoded character is outside Unicode'))
    : text
