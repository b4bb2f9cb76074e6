import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

import type { SieveArgument } from './ast.ts'
import { decodeEncodedCharacters } from './encoded-character.ts'
import type { SieveExtension } from './extensions.ts'
import type { SieveComparator, SieveMatch, SieveRelation } from './program.ts'

export class SieveCheckError extends Error {
  readonly line: number | undefined
  constructor(message: string, line?: number) {
    super(message)
    this.line = line
  }
}

export function fail(message: string, line?: number): never {
  throw new SieveCheckError(message, line)
}

const COMPARATORS = ['i;octet', 'i;ascii-casemap', 'i;ascii-numeric'] as const
const RELATIONS = ['gt', 'ge', 'lt', 'le', 'eq', 'ne'] as const

/** One command's or test's arguments: tags in any order first, then positional ones (RFC 5228 §2.6.2). */
export class Arguments {
  readonly #name: string
  readonly #required: ReadonlySet<string>
  readonly #tags = new Map<string, { line: number; values: readonly string[] | undefined }>()
  readonly #positional: SieveArgument[] = []

  constructor(
    owner: { readonly name: string; readonly args: readonly SieveArgument[] },
    required: ReadonlySet<string>,
  ) {
    this.#name = owner.name
    this.#required = required
    for (let i = 0; i < owner.args.length; i++) {
      const arg = owner.args[i]!
      if (arg.kind !== 'tag') {
        this.#positional.push(arg)
        continue
      }
      if (this.#positional.length > 0) fail(`:${arg.name} must stand before the values`, arg.line)
      if (this.#tags.has(arg.name)) fail(`:${arg.name} stands twice`, arg.line)
      const takesValue = ['comparator', 'value', 'count', 'flags'].includes(arg.name)
      const value = takesValue ? owner.args[++i] : undefined
      if (takesValue && (value === undefined || !('value' in value || 'values' in value)))
        fail(`:${arg.name} needs a value`, arg.line)
      this.#tags.set(arg.name, { line: arg.line, values: value && this.#texts(value) })
    }
  }

  needs(extension: SieveExtension): void {
    if (!this.#required.has(extension)) fail(`${this.#name} needs: require "${extension}"`)
  }

  /** True where the tag stands; then its extension must be required. */
  tag(name: string, extension?: SieveExtension): boolean {
    const tag = this.#tags.get(name)
    if (tag === undefined) return false
    if (extension !== undefined && !this.#required.has(extension))
      fail(`:${name} needs: require "${extension}"`, tag.line)
    if (tag.values === undefined) this.#tags.delete(name)
    return true
  }

  /** The value of a tag that stands. */
  taken(name: string): readonly string[] {
    const values = this.#tags.get(name)?.values ?? []
    this.#tags.delete(name)
    return values
  }

  string(what: string): string {
    const arg = this.#positional.shift()
    if (arg?.kind !== 'string') fail(`${this.#name} needs ${what} as a string`)
    return this.#text(arg.value)
  }

  strings(what: string): readonly string[] {
    const arg = this.#positional.shift()
    if (arg?.kind !== 'string' && arg?.kind !== 'strings') fail(`${this.#name} needs ${what}`)
    return this.#texts(arg)
  }

  number(what: string): number {
    const arg = this.#positional.shift()
    if (arg?.kind !== 'number') fail(`${this.#name} needs ${what} as a number`)
    return arg.value
  }

  address(): Address {
    const text = this.string('an address')
    const parsed = parseAddress(text)
    if (!parsed.ok) fail(`"${text}" is not an address`)
    return parsed.value
  }

  /** Comparator and match type with their defaults (RFC 5228 §2.7). */
  match(): SieveMatch {
    const comparator = (this.taken('comparator')[0] ?? 'i;ascii-casemap') as SieveComparator
    if (!COMPARATORS.includes(comparator)) fail(`there is no comparator "${comparator}"`)
    if (comparator === 'i;ascii-numeric') this.needs('comparator-i;ascii-numeric')
    const kinds = (['is', 'contains', 'matches', 'value', 'count'] as const).filter((kind) =>
      this.#tags.has(kind),
    )
    if (kinds.length > 1) fail(`:${kinds[0]} and :${kinds[1]} exclude one another`)
    const kind = kinds[0] ?? 'is'
    if (kind === 'value' || kind === 'count') {
      this.needs('relational')
      const relation = (this.taken(kind)[0] ?? '') as SieveRelation
      if (!RELATIONS.includes(relation)) fail(`there is no relation "${relation}"`)
      return { comparator, type: { kind, relation } }
    }
    this.tag(kind)
    if (comparator === 'i;ascii-numeric' && kind !== 'is') fail(`:${kind} cannot compare numbers`) // RFC 4790 §9.1: equality and order only
    return { comparator, type: { kind } }
  }

  /** All arguments must have been taken. */
  end(): void {
    for (const [name, { line }] of this.#tags) fail(`${this.#name} has no :${name}`, line)
    const rest = this.#positional[0]
    if (rest !== undefined) fail(`${this.#name} has an argument too many`, rest.line)
  }

  #text(text: string): string {
    if (!this.#required.has('encoded-character')) return text
    const decoded = decodeEncodedCharacters(text)
    return decoded ?? fail('an encoded character is outside Unicode')
  }

  #texts(arg: SieveArgument): readonly string[] {
    if (arg.kind === 'string') return [this.#text(arg.value)]
    return arg.kind === 'strings' ? arg.values.map((value) => this.#text(value)) : []
  }
}
