import { toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import { dnKeyOf, parseDn } from '#codec/ldap/dn.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import { describe, isOf } from './attributes.ts'
import type { BookAttribute, BookEntry, Description } from './attributes.ts'

/** True, false, or Undefined: what is asked of a type that there is not (RFC 4511 §4.5.1.7). */
type Truth = boolean | undefined
type Test = (entry: BookEntry) => Truth

/** Whether the filter is true of an entry. Texts are compared as searches of mail compare them. */
export function matcher(filter: Filter): (entry: BookEntry) => boolean {
  const test = testOf(filter)
  return (entry) => test(entry) === true
}

/** What a text must hold, all values of an entry folded together, for the filter to be true of it. */
export function holder(filter: Filter): (text: string) => boolean {
  switch (filter.kind) {
    case 'and': {
      const all = filter.filters.map(holder)
      return (text) => all.every((each) => each(text))
    }
    case 'or': {
      const any = filter.filters.map(holder)
      return (text) => any.some((each) => each(text))
    }
    case 'equal':
    case 'approximate':
    case 'substrings': {
      const type = describe(filter.type)?.type ?? filter.type.toLowerCase()
      if (!TEXTS.has(type)) return () => true
      const pieces =
        filter.kind === 'substrings'
          ? [filter.initial, ...filter.any, filter.final]
          : [filter.value]
      const texts = pieces.flatMap((piece) => (piece === undefined ? [] : [textOf(piece).trim()]))
      return (text) => texts.every((each) => text.includes(each))
    }
    default:
      return () => true
  }
}

/** Types whose values stand in the text that is looked through first. */
const TEXTS: ReadonlySet<string> = new Set([
  'cn',
  'sn',
  'givenName',
  'displayName',
  'uid',
  'mail',
  'anr',
])

/** What Outlook seeks in: ambiguous name resolution, as Active Directory has it. */
const ANR = ['cn', 'sn', 'givenName', 'displayName', 'mail', 'uid'].map((type): Description => ({
  type,
  options: [],
}))

function testOf(filter: Filter): Test {
  switch (filter.kind) {
    case 'and': {
      const tests = filter.filters.map(testOf)
      return (entry) => joined(tests, entry, false)
    }
    case 'or': {
      const tests = filter.filters.map(testOf)
      return (entry) => joined(tests, entry, true)
    }
    case 'not': {
      const test = testOf(filter.filter)
      return (entry) => {
        const truth = test(entry)
        return truth === undefined ? undefined : !truth
      }
    }
    case 'present':
      return ofValues(filter.type, () => true)
    case 'substrings':
      return ofValues(filter.type, piecesIn(filter))
    case 'extensible':
      return extensible(filter)
    case 'equal': {
      const wanted = textOf(filter.value)
      if (filter.type.toLowerCase() === 'anr') return anr(wanted)
      if (describe(filter.type)?.type === 'member') return member(filter.value)
      return ofValues(filter.type, (value) => value === wanted)
    }
    case 'approximate': {
      const wanted = textOf(filter.value)
      return ofValues(filter.type, (value) => value.includes(wanted))
    }
    case 'atLeast':
    case 'atMost': {
      const wanted = textOf(filter.value)
      const isLeast = filter.kind === 'atLeast'
      return ofValues(filter.type, (value) => (isLeast ? value >= wanted : value <= wanted))
    }
  }
}

/** `decisive`: one that is so decides; Undefined where none does and one is (RFC 4511 §4.5.1.7); of none it is what RFC 4526 §2 says. */
function joined(tests: readonly Test[], entry: BookEntry, decisive: boolean): Truth {
  let truth: Truth = !decisive
  for (const test of tests) {
    const one = test(entry)
    if (one === decisive) return decisive
    if (one === undefined) truth = undefined
  }
  return truth
}

function ofValues(description: string, test: (folded: string) => boolean): Test {
  const asked = describe(description)
  if (asked === undefined) return () => undefined
  return (entry) =>
    entry.attributes.some((attribute) => isOf(attribute, asked) && foldedOf(attribute).some(test))
}

const folded = new WeakMap<BookAttribute, readonly string[]>()

/** Values as they are compared, folded once however many items of a filter look at them. */
function foldedOf(attribute: BookAttribute): readonly string[] {
  const known = folded.get(attribute)
  if (known !== undefined) return known
  const values = attribute.values.map(foldText)
  folded.set(attribute, values)
  return values
}

/** Rules that mean what we compare by in any case: caseIgnoreMatch, by name and number. */
const RULES: ReadonlySet<string> = new Set(['caseignorematch', '2.5.13.2'])

function extensible({ rule, type, value }: Filter & { readonly kind: 'extensible' }): Test {
  if (type === undefined || (rule !== undefined && !RULES.has(rule.toLowerCase())))
    return () => undefined
  const wanted = textOf(value)
  return ofValues(type, (each) => each === wanted)
}

function anr(wanted: string): Test {
  return (entry) =>
    entry.attributes.some(
      (attribute) =>
        ANR.some((each) => isOf(attribute, each)) &&
        foldedOf(attribute).some((value) => value.startsWith(wanted)),
    )
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

function piecesIn({
  initial,
  any,
  final,
}: Filter & { readonly kind: 'substrings' }): (folded: string) => boolean {
  const first = initial === undefined ? '' : textOf(initial)
  const last = final === undefined ? '' : textOf(final)
  const between = any.map(textOf)
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

/** An assertion as values are folded; octets that are no text are held by none. */
const textOf = (octets: Octets): string => {
  const text = toUtf8Strict(octets)
  return text === undefined ? '\ufffd' : foldText(text)
}
