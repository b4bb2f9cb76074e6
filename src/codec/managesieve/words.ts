import { concatOctets, fromLatin1, fromUtf8, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'

/** What a line is made of in both directions (RFC 5804 §1.2, §4): a string is the same quoted or as a literal. */
export type Word =
  | { readonly kind: 'atom'; readonly text: string }
  | { readonly kind: 'string'; readonly octets: Octets }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'open' | 'close' }

/** A literal that the end of a line announces. */
export interface LiteralAhead {
  readonly sizeBytes: number
  /** Clients must say so (`{5+}`): nobody tells them to go on (RFC 5804 §4, literal-c2s). */
  readonly plus: boolean
}

/** More words are in no command and no answer. */
const WORDS_MAX = 64
const LITERAL = /(?:^|[ (])\{(\d{1,15})(\+?)\}$/
// §4: ATOM-CHAR; quoted is UTF-8 without NUL, CR and LF, of which one octet each is a character here.
const WORD = /([()])|"((?:[^"\\\u0000\r\n]|\\["\\])*)"|(\d+)(?=[ )]|$)|([!#-'*-[\]-z|-\u007e]+)/y

/**
 * Gathers the words of one command or answer: lines are fed without their CRLF, each literal whole. What
 * is wrong is told at the end, so that an announced literal is never taken for the next command. Total.
 */
export class Words {
  readonly #words: Word[] = []
  #fault: string | undefined
  #mayFollow = true

  /** The literal that follows, or undefined: that was the last line. */
  line(line: Octets): LiteralAhead | undefined {
    const text = toLatin1(line)
    const literal = LITERAL.exec(text)
    const end = literal === null ? text.length : text.lastIndexOf('{')
    // Within quotes it is a string that never ends; what follows is skipped all the same.
    this.#take(text.slice(0, end))
    if (literal === null) return undefined
    if (!this.#mayFollow) this.#fault ??= 'a blank was expected before a literal'
    return { sizeBytes: Number(literal[1]), plus: literal[2] !== '' }
  }

  literal(octets: Octets): void {
    this.#put({ kind: 'string', octets })
    this.#mayFollow = false
  }

  end(): Outcome<readonly Word[], string> {
    return this.#fault === undefined ? ok(this.#words) : err(this.#fault)
  }

  #take(text: string): void {
    for (let at = 0; at < text.length && this.#fault === undefined;) {
      if (text[at] === ' ') {
        this.#mayFollow = true
        at++
        continue
      }
      WORD.lastIndex = at
      const match = WORD.exec(text)
      if (match === null) this.#fault = text[at] === '"' ? 'a string never ends' : 'malformed line'
      else if (match[1] !== ')' && !this.#mayFollow) this.#fault = 'a blank was expected'
      else {
        at = WORD.lastIndex
        this.#word(match)
      }
    }
  }

  #word([, mark, quoted, number, atom]: RegExpExecArray): void {
    this.#mayFollow = mark === '('
    if (mark !== undefined) this.#put({ kind: mark === '(' ? 'open' : 'close' })
    else if (quoted !== undefined)
      this.#put({ kind: 'string', octets: fromLatin1(quoted.replace(/\\(.)/g, '$1')) })
    else if (number === undefined) this.#put({ kind: 'atom', text: atom! })
    else if (number.length > 15) this.#fault = 'a number is too large'
    else this.#put({ kind: 'number', value: Number(number) })
  }

  #put(word: Word): void {
    if (this.#words.length >= WORDS_MAX) this.#fault ??= 'too many words'
    else this.#words.push(word)
  }
}

/** Of words that are to be one string and nothing else; undefined where they are not. */
export function parseString(words: Outcome<readonly Word[], string>): Octets | undefined {
  const [first, more] = words.ok ? words.value : []
  return first?.kind === 'string' && more === undefined ? first.octets : undefined
}

/** §4: octets between the quotes; what is longer is a literal. */
const QUOTED_BYTES_MAX = 1_024

/** A string for the wire: quoted where that can be; else a literal, of the form that a server or a client sends. */
export function renderString(value: string | Octets, side: 'server' | 'client'): Octets {
  const octets = typeof value === 'string' ? fromUtf8(value) : value
  const text = toLatin1(octets)
  if (octets.length <= QUOTED_BYTES_MAX && !/[\u0000\r\n]/.test(text)) {
    const quoted = text.replace(/["\\]/g, '\\$&')
    if (quoted.length <= QUOTED_BYTES_MAX) return fromLatin1(`"${quoted}"`)
  }
  return renderLiteral(octets, side)
}

/** Always a literal: a script is told by its length from what follows. */
export const renderLiteral = (octets: Octets, side: 'server' | 'client'): Octets =>
  concatOctets([fromLatin1(`{${octets.length}${side === 'client' ? '+' : ''}}\r\n`), octets])
