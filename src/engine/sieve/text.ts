import { asciiLower } from '#base/text.ts'
import { decodeEncodedCharacters } from '#codec/sieve/encoded-character.ts'

import { constantText, constantTexts, endRun, fail } from './language.ts'
import type { SieveText, SieveTexts } from './language.ts'
import type { SieveRun } from './run.ts'
import { MATCHED_MAX, VARIABLE_NAME_MAX } from './variables.ts'

/** Characters of a string after its variables are put in: more ends the run. */
const EXPANDED_CHARACTERS_MAX = 1_048_576
/** Characters that are put together by one step. */
const CHARACTERS_PER_STEP = 1_024

/**
 * A string of a script with the extensions that it requires: encoded characters are decoded first,
 * then variables are looked for (RFC 5229 §3).
 */
export function textOf(text: string, required: ReadonlySet<string>): SieveText {
  const plain = decoded(text, required)
  if (!required.has('variables') || !plain.includes('${')) return constantText(plain)
  const pieces = piecesOf(plain, required)
  if (pieces.every((piece) => typeof piece === 'string')) return constantText(plain)
  return { of: (run) => expand(run, pieces) }
}

export function textsOf(texts: readonly string[], required: ReadonlySet<string>): SieveTexts {
  const all = texts.map((text) => textOf(text, required))
  const constants = all.flatMap(({ constant }) => (constant === undefined ? [] : [constant]))
  if (constants.length === all.length) return constantTexts(constants)
  return { of: (run) => all.map((text) => text.of(run)) }
}

const decoded = (text: string, required: ReadonlySet<string>): string =>
  required.has('encoded-character')
    ? (decodeEncodedCharacters(text) ?? fail('an encoded character is outside Unicode'))
    : text

type Piece = string | ((run: SieveRun) => string)

// RFC 5229 §3: what is not quite of this form stays as it is.
const REFERENCE = /\$\{([A-Za-z_]\w*(?:\.(?:[A-Za-z_]\w*|\d+))*|\d+)\}/g

function piecesOf(text: string, required: ReadonlySet<string>): readonly Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const match of text.matchAll(REFERENCE)) {
    if (match.index > end) pieces.push(text.slice(end, match.index))
    pieces.push(referenceOf(match[1]!, required))
    end = match.index + match[0].length
  }
  if (end < text.length) pieces.push(text.slice(end))
  return pieces
}

function referenceOf(reference: string, required: ReadonlySet<string>): (run: SieveRun) => string {
  if (/^\d/.test(reference)) {
    const index = Number(reference)
    if (index >= MATCHED_MAX) fail(`a match has no more than ${MATCHED_MAX - 1} values`)
    return (run) => run.variables.matched[index] ?? ''
  }
  const { name, isGlobal } = variableName(reference, required)
  return isGlobal ? (run) => run.variables.getGlobal(name) : (run) => run.variables.get(name)
}

/** The variable that a script names, its namespace checked (RFC 5229 §3, RFC 6609 §3.4.2). */
export function variableName(
  text: string,
  required: ReadonlySet<string>,
): { readonly name: string; readonly isGlobal: boolean } {
  const [name = '', ...rest] = asciiLower(text).split('.')
  const isGlobal = name === 'global' && rest.length === 1 && required.has('include')
  if (rest.length > 0 && !isGlobal) fail(`there is no namespace for the variable "${text}"`)
  const own = isGlobal ? rest[0]! : name
  if (!/^[a-z_]\w*$/.test(own)) fail(`"${text}" is no name of a variable`)
  if (own.length > VARIABLE_NAME_MAX)
    fail(`the name of a variable is longer than ${VARIABLE_NAME_MAX} characters`)
  return { name: own, isGlobal }
}

function expand(run: SieveRun, pieces: readonly Piece[]): string {
  let text = ''
  for (const piece of pieces) {
    text += typeof piece === 'string' ? piece : piece(run)
    if (text.length > EXPANDED_CHARACTERS_MAX)
      endRun(`a string grows beyond ${EXPANDED_CHARACTERS_MAX} characters`)
  }
  run.step(pieces.length + Math.ceil(text.length / CHARACTERS_PER_STEP))
  return text
}
