import { asciiLower } from '#base/text.ts'
import type { Comparison, Filter } from './filter.ts'
import { isAbsent, isObject, listOf } from './json.ts'
import type { Json, JsonObject } from './json.ts'
import type { AttributePath } from './path.ts'
import { Refused } from './problem.ts'
import { locate } from './schema.ts'
import type { Attribute, Place, ResourceSchema } from './schema.ts'

/** Whether a resource is one that is searched for. */
export type Matcher = (resource: JsonObject) => boolean

/**
 * A filter made ready for many resources. What their type has no attribute for counts as absent
 * (RFC 7644 §3.4.2.2). Throws Refused where a value cannot be compared that way.
 */
export function matcherOf(filter: Filter, schema: ResourceSchema): Matcher {
  return matcherIn(filter, (path) => {
    const place = locate(schema, path)
    return place && { attribute: leafOf(place), read: (value) => valuesAt(value, place) }
  })
}

/** The same for one value of an attribute with several: names are those of its parts. */
export function valueMatcherOf(filter: Filter, attribute: Attribute): Matcher {
  return matcherIn(filter, ({ urn, name, sub }) => {
    if (urn !== undefined || sub !== undefined) return undefined
    const part = attribute.subAttributes?.find((each) => isNamed(each, name))
    if (part !== undefined) return { attribute: part, read: (value) => listOf(value[part.name]) }
    // The values of what has no parts are called "value" (RFC 7643 §2.4).
    if (attribute.subAttributes !== undefined || asciiLower(name) !== 'value') return undefined
    return { attribute, read: (value) => listOf(value['value']) }
  })
}

const isNamed = (attribute: Attribute, name: string): boolean =>
  asciiLower(attribute.name) === asciiLower(name)

/** What a path leads to: undefined where there is no such attribute. */
type Finder = (path: AttributePath) =>
  | {
      readonly attribute: Attribute | undefined
      readonly read: (resource: JsonObject) => readonly Json[]
    }
  | undefined

function matcherIn(filter: Filter, find: Finder): Matcher {
  switch (filter.kind) {
    case 'and': {
      const all = filter.filters.map((each) => matcherIn(each, find))
      return (resource) => all.every((matches) => matches(resource))
    }
    case 'or': {
      const any = filter.filters.map((each) => matcherIn(each, find))
      return (resource) => any.some((matches) => matches(resource))
    }
    case 'not': {
      const matches = matcherIn(filter.filter, find)
      return (resource) => !matches(resource)
    }
    case 'present': {
      const found = find(filter.path)
      return (resource) => found?.read(resource).some(isPresent) === true
    }
    case 'value': {
      const found = find(filter.path)
      if (found?.attribute === undefined) return () => false
      const matches = valueMatcherOf(filter.filter, found.attribute)
      return (resource) => found.read(resource).some((value) => matches(asObject(value)))
    }
    case 'compare': {
      const found = find(filter.path)
      return found?.attribute === undefined
        ? comparing(() => [], undefined, filter)
        : comparing(found.read, simpleOf(found.attribute), filter)
    }
  }
}

/** A value that is no object, as one of its only part. */
export const asObject = (value: Json): JsonObject => (isObject(value) ? value : { value })

const isPresent = (value: Json): boolean =>
  value !== '' && (!isObject(value) || Object.values(value).some((each) => !isAbsent(each)))

/** `emails co "x"` asks the value of each (RFC 7644 §3.4.2.2). */
const simpleOf = (attribute: Attribute): Attribute | undefined =>
  attribute.type === 'complex'
    ? attribute.subAttributes?.find(({ name }) => name === 'value')
    : attribute

type Compare = Extract<Filter, { kind: 'compare' }>

function comparing(
  read: (resource: JsonObject) => readonly Json[],
  attribute: Attribute | undefined,
  filter: Compare,
): Matcher {
  const { operator } = filter
  if (filter.value === null) {
    if (operator !== 'eq' && operator !== 'ne')
      throw new Refused('invalidFilter', `${operator} null: only eq and ne compare with null`)
    return (resource) => read(resource).some(isPresent) === (operator === 'ne')
  }
  if (attribute === undefined) return () => operator === 'ne'
  const wanted = comparable(attribute, filter.value)
  if (wanted === undefined)
    throw new Refused(
      'invalidFilter',
      `${attribute.name} is a ${attribute.type}: ${JSON.stringify(filter.value)} is none`,
    )
  if (typeof wanted === 'boolean' && operator !== 'eq' && operator !== 'ne')
    throw new Refused('invalidFilter', `${attribute.name} has no order: eq and ne compare it`)
  const isSo = TESTS[operator === 'ne' ? 'eq' : operator]
  const some: Matcher = (resource) =>
    read(resource).some((value) => {
      const simple = isObject(value) ? value['value'] : value
      const own = isAbsent(simple) ? undefined : comparable(attribute, simple)
      return own !== undefined && isSo(own, wanted)
    })
  return operator === 'ne' ? (resource) => !some(resource) : some
}

type Comparable = string | number | boolean

const TESTS: Readonly<
  Record<Exclude<Comparison, 'ne'>, (own: Comparable, wanted: Comparable) => boolean>
> = {
  eq: (own, wanted) => own === wanted,
  co: (own, wanted) => String(own).includes(String(wanted)),
  sw: (own, wanted) => String(own).startsWith(String(wanted)),
  ew: (own, wanted) => String(own).endsWith(String(wanted)),
  gt: (own, wanted) => own > wanted,
  ge: (own, wanted) => own >= wanted,
  lt: (own, wanted) => own < wanted,
  le: (own, wanted) => own <= wanted,
}

/** The form that values of an attribute are compared in; undefined: this is no value of it. */
export function comparable(attribute: Attribute, value: Json): Comparable | undefined {
  switch (attribute.type) {
    case 'boolean':
      return booleanOf(value)
    case 'integer':
    case 'decimal': {
      const number = typeof value === 'string' && value !== '' ? Number(value) : value
      return typeof number === 'number' && Number.isFinite(number) ? number : undefined
    }
    case 'dateTime': {
      const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
      return Number.isNaN(ms) ? undefined : ms
    }
    default: {
      if (typeof value !== 'string') return undefined
      const text = value.normalize('NFC')
      return attribute.caseExact ? text : text.toLowerCase()
    }
  }
}

/** Entra ID writes booleans as text: "True". */
export function booleanOf(value: Json | undefined): boolean | undefined {
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' ? asciiLower(value) : undefined
  return word === 'true' ? true : word === 'false' ? false : undefined
}

const leafOf = ({ attribute, sub }: Place): Attribute | undefined => sub ?? attribute

/** All that stands at a place of a resource. */
export function valuesAt(
  resource: JsonObject,
  { extension, attribute, sub }: Place,
): readonly Json[] {
  const holder = extension === undefined ? resource : resource[extension]
  if (!isObject(holder)) return []
  if (attribute === undefined) return [holder]
  const values = listOf(holder[attribute.name])
  if (sub === undefined) return values
  return values.flatMap((value) => (isObject(value) ? listOf(value[sub.name]) : []))
}
