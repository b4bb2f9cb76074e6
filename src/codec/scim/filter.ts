import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { ATTRIBUTE, parseAttributePath } from './path.ts'
import type { AttributePath } from './path.ts'
import { Refused } from './problem.ts'
import type { ScimProblem } from './problem.ts'

export const COMPARISONS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
export type Comparison = (typeof COMPARISONS)[number]

/** Which resources a search is for (RFC 7644 §3.4.2.2). */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'present'; readonly path: AttributePath }
  | {
      readonly kind: 'compare'
      readonly path: AttributePath
      readonly operator: Comparison
      readonly value: string | number | boolean | null
    }
  /** One value of the attribute fulfils all of it. */
  | { readonly kind: 'value'; readonly path: AttributePath; readonly filter: Filter }

/** What an operation of PATCH is about (RFC 7644 §3.5.2): `attribute`, `attribute.sub`, `attribute[filter].sub`. */
export interface PatchPath {
  readonly path: AttributePath
  readonly filter?: Filter
  readonly sub?: string
}

const FILTER_CHARS_MAX = 8 * 1024
const DEPTH_MAX = 20
const TERMS_MAX = 200

export function parseFilter(text: string): Outcome<Filter, ScimProblem> {
  return reading(text, 'invalidFilter', (parser) => parser.filter(0))
}

export function parsePatchPath(text: string): Outcome<PatchPath, ScimProblem> {
  return reading(text, 'invalidPath', (parser) => parser.patchPath())
}

function reading<T>(
  text: string,
  scimType: 'invalidFilter' | 'invalidPath',
  read: (parser: Parser) => T,
): Outcome<T, ScimProblem> {
  if (text.length > FILTER_CHARS_MAX)
    return err({ scimType, detail: `longer than ${FILTER_CHARS_MAX} characters` })
  const parser = new Parser(text, scimType)
  try {
    const read_ = read(parser)
    parser.end()
    return ok(read_)
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown
    return err({ scimType, detail: `${thrown.detail} at character ${parser.at + 1}` })
  }
}

const BLANKS = / +/y
const WORD = /[A-Za-z]+/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const NOT = /not(?= *\()/iy
const OR = / +or +/iy
const AND = / +and +/iy

class Parser {
  at = 0
  #terms = 0
  readonly #text: string
  readonly #scimType: 'invalidFilter' | 'invalidPath'

  constructor(text: string, scimType: 'invalidFilter' | 'invalidPath') {
    this.#text = text
    this.#scimType = scimType
  }

  /** `or` binds least, then `and`, then `not` (RFC 7644 §3.4.2.2 table 5). */
  filter(depth: number): Filter {
    return this.#joined('or', OR, () => this.#joined('and', AND, () => this.#term(depth)))
  }

  patchPath(): PatchPath {
    const path = this.#path()
    if (!this.#skip('[')) return { path }
    if (path.sub !== undefined) this.#wrong('a filter belongs behind the whole attribute')
    const filter = this.#inBrackets(0)
    if (!this.#skip('.')) return { path, filter }
    return { path, filter, sub: this.#sub() }
  }

  end(): void {
    if (this.at < this.#text.length) this.#wrong('unexpected text')
  }

  #joined(kind: 'and' | 'or', word: RegExp, read: () => Filter): Filter {
    const filters = [read()]
    while (this.#match(word) !== undefined) filters.push(read())
    return filters.length === 1 ? filters[0]! : { kind, filters }
  }

  #term(depth: number): Filter {
    if (depth > DEPTH_MAX) this.#wrong(`nested more than ${DEPTH_MAX} deep`)
    if (this.#match(NOT) !== undefined) {
      this.#match(BLANKS)
      this.#expect('(')
      return { kind: 'not', filter: this.#inParentheses(depth) }
    }
    if (this.#skip('(')) return this.#inParentheses(depth)
    if (++this.#terms > TERMS_MAX) this.#wrong(`more than ${TERMS_MAX} comparisons`)
    const path = this.#path()
    if (!this.#skip('[')) return this.#comparison(path)
    if (path.sub !== undefined) this.#wrong('a filter belongs behind the whole attribute')
    const filter = this.#inBrackets(depth)
    // `emails[type eq "work"].value eq "…"`, which RFC 7644 does not know, is how Entra ID matches people.
    if (!this.#skip('.')) return { kind: 'value', path, filter }
    const both = [filter, this.#comparison({ name: this.#sub() })]
    return { kind: 'value', path, filter: { kind: 'and', filters: both } }
  }

  #inParentheses(depth: number): Filter {
    return this.#within(depth, ')')
  }

  #inBrackets(depth: number): Filter {
    return this.#within(depth, ']')
  }

  #within(depth: number, end: string): Filter {
    this.#match(BLANKS)
    const filter = this.filter(depth + 1)
    this.#match(BLANKS)
    this.#expect(end)
    return filter
  }

  #comparison(path: AttributePath): Filter {
    if (this.#match(BLANKS) === undefined) this.#wrong('an operator belongs here')
    const word = this.#match(WORD)?.toLowerCase()
    if (word === 'pr') return { kind: 'present', path }
    const operator = COMPARISONS.find((each) => each === word)
    if (operator === undefined) {
      this.at -= word?.length ?? 0
      this.#wrong(`one of pr, ${COMPARISONS.join(', ')} belongs here`)
    }
    if (this.#match(BLANKS) === undefined) this.#wrong('a value belongs here')
    return { kind: 'compare', path, operator, value: this.#value() }
  }

  #value(): string | number | boolean | null {
    const quoted = this.#match(STRING)
    if (quoted !== undefined) return JSON.parse(quoted) as string
    const number = this.#match(NUMBER)
    if (number !== undefined) return Number(number)
    const word = this.#match(WORD)
    switch (word?.toLowerCase()) {
      case 'true':
        return true
      case 'false':
        return false
      case 'null':
        return null
      default:
        this.at -= word?.length ?? 0
        this.#wrong('"text", a number, true, false or null belongs here')
    }
  }

  #path(): AttributePath {
    const text = this.#match(ATTRIBUTE)
    if (text === undefined) this.#wrong('an attribute belongs here')
    const path = parseAttributePath(text)
    if (!path.ok) this.#wrong(path.error)
    return path.value
  }

  #sub(): string {
    const { name, urn, sub } = this.#path()
    if (urn !== undefined || sub !== undefined) this.#wrong('one sub-attribute belongs here')
    return name
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
    if (!this.#skip(sign)) this.#wrong(`'${sign}' belongs here`)
  }

  #wrong(detail: string): never {
    throw new Refused(this.#scimType, detail)
  }
}
