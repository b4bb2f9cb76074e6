import { concatOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { boolean, context, contextOf, element, octetString, sequence } from './ber.ts'

/** Which entries a search is for (RFC 4511 §4.5.1.7). Values are octets: what somebody typed is never syntax. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'present'; readonly type: string }
  | {
      readonly kind: 'equal' | 'atLeast' | 'atMost' | 'approximate'
      readonly type: string
      readonly value: Octets
    }
  | {
      readonly kind: 'substrings'
      readonly type: string
      readonly initial?: Octets
      readonly any: readonly Octets[]
      readonly final?: Octets
    }
  | {
      readonly kind: 'extensible'
      readonly rule?: string
      readonly type?: string
      readonly value: Octets
      readonly ofDn: boolean
    }

/** `(type=value)` of a value that may be anything. */
export const equal = (type: string, value: string): Filter => ({
  kind: 'equal',
  type,
  value: fromUtf8(value),
})

const DEPTH_MAX = 50
const FILTER_CHARS_MAX = 64 * 1024

/** A filter as administrators write it (RFC 4515); the error says what is wrong and where. */
export function parseFilter(text: string): Outcome<Filter, string> {
  const parsed = parse(text)
  return parsed.ok ? parsed : err(`${parsed.error.message} at character ${parsed.error.at}`)
}

interface FilterFault {
  readonly message: string
  /** The character, from 1 on. */
  readonly at: number
}

/** What is wrong with a filter; undefined: nothing. */
export function filterFault(text: string): FilterFault | undefined {
  const parsed = parse(text)
  return parsed.ok ? undefined : parsed.error
}

function parse(text: string): Outcome<Filter, FilterFault> {
  if (text.length > FILTER_CHARS_MAX)
    return err({ message: 'the filter is too long', at: FILTER_CHARS_MAX + 1 })
  const parser = new Parser(text)
  try {
    return ok(parser.whole())
  } catch (thrown) {
    if (!(thrown instanceof Wrong)) throw thrown
    return err({ message: thrown.message, at: parser.at + 1 })
  }
}

class Wrong extends Error {}

const TYPE = /[A-Za-z][A-Za-z0-9-]*(?:;[A-Za-z0-9-]+)*|\d+(?:\.\d+)*(?:;[A-Za-z0-9-]+)*/y
const RULE = /[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*/y

class Parser {
  at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  whole(): Filter {
    // OpenLDAP's programs take a lone item without its parentheses, so people write it.
    const filter = this.#text.startsWith('(') ? this.#filter(1) : this.#item()
    if (this.at < this.#text.length) throw new Wrong('unexpected text')
    return filter
  }

  #filter(depth: number): Filter {
    if (depth > DEPTH_MAX) throw new Wrong('the filter is nested too deeply')
    this.#expect('(')
    const filter = this.#inside(depth)
    this.#expect(')')
    return filter
  }

  #inside(depth: number): Filter {
    if (this.#skip('!')) return { kind: 'not', filter: this.#filter(depth + 1) }
    const kind = this.#skip('&') ? 'and' : this.#skip('|') ? 'or' : undefined
    if (kind === undefined) return this.#item()
    const filters: Filter[] = []
    while (this.#text[this.at] === '(') filters.push(this.#filter(depth + 1))
    return { kind, filters } // empty ones are true and false (RFC 4526 §2)
  }

  #item(): Filter {
    const type = this.#match(TYPE)
    if (this.#text[this.at] === ':') return this.#extensible(type)
    if (type === undefined) throw new Wrong('an attribute belongs here')
    const [kind] =
      (
        [
          ['atLeast', '>='],
          ['atMost', '<='],
          ['approximate', '~='],
        ] as const
      ).find(([, sign]) => this.#skip(sign)) ?? []
    if (kind !== undefined) return { kind, type, value: this.#value() }
    this.#expect('=')
    return this.#equality(type)
  }

  #equality(type: string): Filter {
    const pieces = [this.#value()]
    while (this.#skip('*')) pieces.push(this.#value())
    const [first, ...rest] = pieces as [Octets, ...Octets[]]
    const last = rest.pop()
    if (last === undefined) return { kind: 'equal', type, value: first }
    if (first.length === 0 && last.length === 0 && rest.length === 0)
      return { kind: 'present', type }
    if (rest.some((piece) => piece.length === 0)) throw new Wrong('two stars side by side')
    return {
      kind: 'substrings',
      type,
      ...(first.length > 0 && { initial: first }),
      any: rest,
      ...(last.length > 0 && { final: last }),
    }
  }

  #extensible(type: string | undefined): Filter {
    const ofDn = /:dn(?=:)/iy
    const isOfDn = this.#match(ofDn) !== undefined
    this.#expect(':')
    const rule = this.#match(RULE)
    if (rule !== undefined) this.#expect(':')
    if (rule === undefined && type === undefined) throw new Wrong('a matching rule belongs here')
    this.#expect('=')
    return {
      kind: 'extensible',
      ...(rule !== undefined && { rule }),
      ...(type !== undefined && { type }),
      value: this.#value(),
      ofDn: isOfDn,
    }
  }

  /** Up to `*` or `)`; `\2a` stands for an octet. */
  #value(): Octets {
    const parts: Octets[] = []
    for (;;) {
      const plain = this.#match(/[^()*\\\0]+/y)
      if (plain !== undefined) parts.push(fromUtf8(plain))
      else if (this.#text[this.at] === '\\') {
        const escape = this.#match(/\\[0-9A-Fa-f]{2}/y)
        if (escape === undefined)
          throw new Wrong('two hexadecimal digits belong behind a backslash')
        parts.push(Uint8Array.of(Number.parseInt(escape.slice(1), 16)))
      } else return concatOctets(parts)
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.#text)?.[0]
    this.at += found?.length ?? 0
    return found
  }

  #skip(sign: string): boolean {
    if (!this.#text.startsWith(sign, this.at)) return false
    this.at += sign.length
    return true
  }

  #expect(sign: string): void {
    if (!this.#skip(sign)) throw new Wrong(`'${sign}' belongs here`)
  }
}

const COMPARISONS = { equal: 3, atLeast: 5, atMost: 6, approximate: 8 } as const

export function encodeFilter(filter: Filter): Octets {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return element(
        contextOf(filter.kind === 'and' ? 0 : 1),
        ...filter.filters.map((one) => encodeFilter(one)),
      )
    case 'not':
      return element(contextOf(2), encodeFilter(filter.filter))
    case 'present':
      return octetString(filter.type, context(7))
    case 'substrings': {
      const { initial, any, final } = filter
      const parts = any.map((part) => octetString(part, context(1)))
      if (initial !== undefined) parts.unshift(octetString(initial, context(0)))
      if (final !== undefined) parts.push(octetString(final, context(2)))
      return element(contextOf(4), octetString(filter.type), sequence(...parts))
    }
    case 'extensible': {
      const parts = [octetString(filter.value, context(3))]
      if (filter.type !== undefined) parts.unshift(octetString(filter.type, context(2)))
      if (filter.rule !== undefined) parts.unshift(octetString(filter.rule, context(1)))
      if (filter.ofDn) parts.push(boolean(true, context(4)))
      return element(contextOf(9), ...parts)
    }
    default:
      return element(
        contextOf(COMPARISONS[filter.kind]),
        octetString(filter.type),
        octetString(filter.value),
      )
  }
}
