import { toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { dnKeyOf, parseDn } from './dn.ts'
import type { Filter } from './filter.ts'

/** What an attribute is asked by: its type, as entries have it, and options such as `lang-ja` (RFC 4512 §2.5). */
export interface Description {
  readonly type: string
  readonly options: readonly string[]
}

/** An attribute of an entry; its options are in lower case. */
export interface DescribedAttribute extends Description {
  readonly values: readonly string[]
}

/** An entry that a filter is asked of. */
export interface DescribedEntry {
  readonly attributes: readonly DescribedAttribute[]
}

/** What entries have, and how their values are compared. */
export interface FilterWords {
  /** Undefined: entries have no such type, so that nothing is known of what is asked of it (RFC 4511 §4.5.1.7). */
  readonly describe: (text: string) => Description | undefined
  /** Texts that come out alike are the same. */
  readonly fold: (text: string) => string
  /** What Outlook seeks in: ambiguous name resolution, as Active Directory has it. */
  readonly anr?: readonly string[]
}

/** Whether the attribute is of that type or one below it: `cn` means `cn;lang-ja` as well (RFC 4512 §2.5.2). */
export const isOf = (attribute: Description, asked: Description): boolean =>
  attribute.type === asked.type &&
  asked.options.every((option) => attribute.options.includes(option))

/** True, false, or Undefined: what is asked of a type that there is not (RFC 4511 §4.5.1.7). */
type Truth = boolean | undefined
type Test = (entry: DescribedEntry) => Truth

/** Whether the filter is true of an entry. */
export function matcherOf(filter: Filter, words: FilterWords): (entry: DescribedEntry) => boolean {
  const test = new Tests(words).of(filter)
  return (entry) => test(entry) === true
}

/** An assertion as values are folded; octets that are no text are held by none. */
export const textOf = (octets: Octets, { fold }: FilterWords): string => {
  const text = toUtf8Strict(octets)
  return text === undefined ? '\ufffd' : fold(text)
}

/** Rules that mean what we compare by in any case: caseIgnoreMatch, by name and number. */
const RULES: ReadonlySet<string> = new Set(['caseignorematch', '2.5.13.2'])

class Tests {
  readonly #words: FilterWords
  /** Values as they are compared, folded once however many items of a filter look at them. */
  readonly #folded = new WeakMap<DescribedAttribute, readonly string[]>()

  constructor(words: FilterWords) {
    this.#words = words
  }

  of(filter: Filter): Test {
    switch (filter.kind) {
      case 'and': {
        const tests = filter.filters.map((each) => this.of(each))
        return (entry) => joined(tests, entry, false)
      }
      case 'or': {
        const tests = filter.filters.map((each) => this.of(each))
        return (entry) => joined(tests, entry, true)
      }
      case 'not': {
        const test = this.of(filter.filter)
        return (entry) => {
          const truth = test(entry)
          return truth === undefined ? undefined : !truth
        }
      }
      case 'present':
        return this.#ofValues(filter.type, () => true)
      case 'substrings':
        return this.#ofValues(filter.type, this.#piecesIn(filter))
      case 'extensible':
        return this.#extensible(filter)
      case 'equal': {
        const wanted = this.#textOf(filter.value)
        if (this.#words.anr !== undefined && filter.type.toLowerCase() === 'anr')
          return this.#anr(wanted, this.#words.anr)
        if (this.#words.describe(filter.type)?.type === 'member') return member(filter.value)
        return this.#ofValues(filter.type, (value) => value === wanted)
      }
      case 'approximate': {
        const wanted = this.#textOf(filter.value)
        return this.#ofValues(filter.type, (value) => value.includes(wanted))
      }
      case 'atLeast':
      case 'atMost': {
        const wanted = this.#textOf(filter.value)
        const isLeast = filter.kind === 'atLeast'
        return this.#ofValues(filter.type, (value) => (isLeast ? value >= wanted : value <= wanted))
      }
    }
  }

  #ofValues(description: string, test: (folded: string) => boolean): Test {
    const asked = this.#words.describe(description)
    if (asked === undefined) return () => undefined
    return (entry) =>
      entry.attributes.some(
        (attribute) => isOf(attribute, asked) && this.#foldedOf(attribute).some(test),
      )
  }

  #foldedOf(attribute: DescribedAttribute): readonly string[] {
    const known = this.#folded.get(attribute)
    if (known !== undefined) return known
    const values = attribute.values.map(this.#words.fold)
    this.#folded.set(attribute, values)
    return values
  }

  #extensible({ rule, type, value }: Filter & { readonly kind: 'extensible' }): Test {
    if (type === undefined || (rule !== undefined && !RULES.has(rule.toLowerCase())))
      return () => undefined
    const wanted = this.#textOf(value)
    return this.#ofValues(type, (each) => each === wanted)
  }

  #anr(wanted: string, types: readonly string[]): Test {
    return (entry) =>
      entry.attributes.some(
        (attribute) =>
          types.includes(attribute.type) &&
          this.#foldedOf(attribute).some((value) => value.startsWith(wanted)),
      )
  }

  #piecesIn({
    initial,
    any,
    final,
  }: Filter & { readonly kind: 'substrings' }): (folded: string) => boolean {
    const first = initial === undefined ? '' : this.#textOf(initial)
    const last = final === undefined ? '' : this.#textOf(final)
    const between = any.map((each) => this.#textOf(each))
    return (value) => {
      if (!value.startsWith(first)) return false
      let at = first.length
      for (const piece of between) {
        const found = value.indexOf(piece, at)
        if (found < 0) return false
        at = found + piece.length
      }
      return value.length - last.length >= at && value.endsWith(last)
    }
  }

  #textOf(octets: Octets): string {
    return textOf(octets, this.#words)
  }
}

/** `decisive`: one that is so decides; Undefined where none does and one is (RFC 4511 §4.5.1.7); of none it is what RFC 4526 §2 says. */
function joined(tests: readonly Test[], entry: DescribedEntry, decisive: boolean): Truth {
  let truth: Truth = !decisive
  for (const test of tests) {
    const one = test(entry)
    if (one === decisive) return decisive
    if (one === undefined) truth = undefined
  }
  return truth
}

/** Names of entries are compared as names. */
function member(value: Octets): Test {
  const parts = parseDn(toUtf8Strict(value) ?? '=')
  if (parts === undefined) return () => undefined
  const wanted = dnKeyOf(parts)
  return (entry) =>
    entry.attributes.some(
      ({ type, values }) =>
        type === 'member' && values.some((each) => dnKeyOf(parseDn(each) ?? []) === wanted),
    )
}
