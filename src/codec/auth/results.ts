import { asciiLower, oneLine } from '#base/text.ts'
import { SENDER_RESULTS } from '#model/verdict.ts'
import type { AuthResult } from '#model/verdict.ts'

export interface AuthenticationResults {
  readonly authservId: string
  readonly results: readonly AuthResult[]
}

const METHODS: readonly AuthResult['method'][] = ['spf', 'dkim', 'dmarc']
/** Characters of one property's value that are shown. */
const VALUE_LENGTH_MAX = 255

/** The value of an Authentication-Results field, folded, ASCII (RFC 8601 §2.2). */
export function renderResults(authservId: string, results: readonly AuthResult[]): string {
  const lines = results.map((result) =>
    [
      `${result.method}=${result.result}`,
      ...result.properties.map(([name, value]) => `${propertyName(name)}=${pvalue(value)}`),
    ].join(' '),
  )
  return [value(authservId), ...(lines.length === 0 ? ['none'] : lines)].join(';\r\n\t')
}

/** Reads a field's value, unfolded; undefined where it is none. Methods that we do not know are left out. */
export function parseResults(text: string): AuthenticationResults | undefined {
  const clauses = tokenize(text)
  const authservId = clauses[0]?.[0]
  if (authservId === undefined) return undefined
  return { authservId, results: clauses.slice(1).flatMap(parseClause) }
}

function parseClause(words: readonly string[]): AuthResult[] {
  const [method, result] = pairOf(words[0] ?? '')
  const name = METHODS.find((known) => known === asciiLower(method).replace(/\/\d+$/, ''))
  const known = SENDER_RESULTS.find((word) => word === asciiLower(result))
  if (name === undefined || known === undefined) return []
  const properties = words
    .slice(1)
    .map(pairOf)
    .filter(([key]) => /^[a-z][\w-]*\.[\w-]+$/i.test(key))
  return [{ method: name, result: known, properties }]
}

const pairOf = (word: string): [string, string] => {
  const equals = word.indexOf('=')
  return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)]
}

/** Words of each clause between `;`, comments left out, quoting undone, `a = b` drawn together. */
function tokenize(text: string): string[][] {
  const clauses: string[][] = [[]]
  let word = ''
  let isWord = false
  let isOpen = false
  let isGap = false
  const end = (): void => {
    if (isWord) clauses.at(-1)!.push(word)
    word = ''
    isWord = false
    isOpen = false
  }
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!
    if (sign === '(') at = skipComment(text, at)
    if (sign === '(' || /\s/.test(sign)) {
      isGap = true
      continue
    }
    if (sign === ';') {
      end()
      clauses.push([])
      continue
    }
    // White space may stand around `=` (RFC 8601 §2.2).
    if (isGap && !isOpen && sign !== '=') end()
    isGap = false
    isWord = true
    isOpen = sign === '='
    if (sign !== '"') {
      word += sign
      continue
    }
    for (at++; at < text.length && text[at] !== '"'; at++) {
      if (text[at] === '\\' && at + 1 < text.length) at++
      word += text[at]!
    }
  }
  end()
  return clauses
}

function skipComment(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return at
  }
  return text.length
}

const propertyName = (name: string): string => name.replace(/[^A-Za-z0-9._-]/g, '')

/** A property's value: a token, an address, or quoted; never a line end or 8-bit (RFC 8601 §2.2). */
function pvalue(text: string): string {
  const clean = ascii(text)
  return /^[A-Za-z0-9.!#$%&'*+/^_`{|}~@-]+$/.test(clean) ? clean : quoted(clean)
}

const value = (text: string): string => {
  const clean = ascii(text)
  return /^[A-Za-z0-9.!#$%&'*+^_`{|}~-]+$/.test(clean) ? clean : quoted(clean)
}

const ascii = (text: string): string =>
  oneLine(text, VALUE_LENGTH_MAX).replace(/[^\u0020-\u007e]/g, '?')
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
