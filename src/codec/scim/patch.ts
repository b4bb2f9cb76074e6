import { isDeepStrictEqual } from 'node:util'
import { asciiLower } from '#base/text.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { parsePatchPath } from './filter.ts'
import type { Filter, PatchPath } from './filter.ts'
import { isAbsent, isObject, listOf } from './json.ts'
import type { Json, JsonObject } from './json.ts'
import { asObject, booleanOf, valueMatcherOf } from './match.ts'
import { Refused } from './problem.ts'
import type { ScimProblem } from './problem.ts'
import { locate } from './schema.ts'
import type { Attribute, Place, ResourceSchema } from './schema.ts'
import { readOne, readValue } from './values.ts'

export const OPERATIONS_MAX = 1_000

/**
 * The resource as it is after all operations of a PATCH (RFC 7644 §3.5.2), in order, or why one of them
 * cannot be done. Besides the RFC it takes what Entra ID and Okta send: names of operations in any case,
 * booleans as text, objects without a path whose names are paths, and members to be removed as values.
 */
export function applyPatch(
  schema: ResourceSchema,
  resource: JsonObject,
  body: JsonObject,
): Outcome<JsonObject, ScimProblem> {
  try {
    const patcher = new Patcher(schema, resource)
    for (const operation of operationsOf(body)) patcher.apply(operation)
    return ok(patcher.resource)
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown
    const { scimType, detail } = thrown
    return err({ scimType, detail })
  }
}

type Verb = 'add' | 'replace' | 'remove'

interface Operation {
  readonly verb: Verb
  readonly path?: string
  readonly value?: Json | undefined
}

function operationsOf(body: JsonObject): readonly Operation[] {
  const name = Object.keys(body).find((each) => asciiLower(each) === 'operations')
  const operations = name === undefined ? undefined : body[name]
  if (!Array.isArray(operations) || operations.length === 0)
    throw new Refused('invalidSyntax', 'a PATCH has Operations')
  if (operations.length > OPERATIONS_MAX)
    throw new Refused('tooMany', `more than ${OPERATIONS_MAX} operations`)
  return (operations as readonly Json[]).map((operation) => {
    const { op, path, value } = isObject(operation) ? operation : {}
    const verb = typeof op === 'string' ? asciiLower(op) : ''
    if (verb !== 'add' && verb !== 'replace' && verb !== 'remove')
      throw new Refused('invalidSyntax', 'an operation has an op: add, replace or remove')
    if (path !== undefined && path !== null && typeof path !== 'string')
      throw new Refused('invalidPath', 'a path is a text')
    return { verb, value, ...(typeof path === 'string' && path !== '' && { path }) }
  })
}

/** The values of an attribute by what each is known by, and the extension that it is of. */
interface Keyed {
  readonly extension: string | undefined
  readonly values: Map<string, Json>
}

class Patcher {
  readonly #schema: ResourceSchema
  readonly #resource: Record<string, Json | undefined>
  /** Kept from one operation to the next: a group may have ten thousand members. */
  readonly #keyed = new Map<Attribute, Keyed>()

  constructor(schema: ResourceSchema, resource: JsonObject) {
    this.#schema = schema
    this.#resource = { ...resource }
  }

  get resource(): JsonObject {
    for (const attribute of this.#keyed.keys()) this.#settle(attribute)
    return this.#resource
  }

  apply({ verb, path, value }: Operation): void {
    if (path !== undefined) return this.#at(verb, path, value)
    if (verb === 'remove') throw new Refused('noTarget', 'a removal has a path')
    if (!isObject(value)) throw new Refused('invalidValue', 'without a path the value is an object')
    for (const [name, each] of Object.entries(value))
      if (asciiLower(name) !== 'schemas') this.#at(verb, name, each)
  }

  #at(verb: Verb, text: string, value: Json | undefined): void {
    const parsed = parsePatchPath(text)
    if (!parsed.ok) throw new Refused(parsed.error.scimType, `${text}: ${parsed.error.detail}`)
    const { path, filter, sub } = parsed.value
    if (path.urn === undefined && this.#schema.unkept.has(asciiLower(path.name))) return
    const place = locate(this.#schema, withSub(path, sub))
    if (place === undefined) throw new Refused('invalidPath', `there is no attribute ${text}`)
    if (place.attribute === undefined) return this.#extension(verb, place.extension!, value)
    this.#attribute(verb, { ...place, attribute: place.attribute }, { filter, value })
  }

  #extension(verb: Verb, urn: string, value: Json | undefined): void {
    if (verb === 'remove' && isAbsent(value)) return void delete this.#resource[urn]
    if (!isObject(value)) throw new Refused('invalidValue', `${urn} is no object`)
    for (const [name, each] of Object.entries(value)) this.#at(verb, `${urn}:${name}`, each)
  }

  #attribute(
    verb: Verb,
    place: Place & { readonly attribute: Attribute },
    { filter, value }: { readonly filter: Filter | undefined; readonly value: Json | undefined },
  ): void {
    const { extension, attribute, sub } = place
    const before = this.#holder(extension)[attribute.name]
    if (attribute.mutability === 'readOnly' || sub?.mutability === 'readOnly') {
      // Okta tells the id of what it changes once more.
      if (isAbsent(value) ? isAbsent(before) : isDeepStrictEqual(before, value)) return
      throw new Refused('mutability', `${attribute.name} is read-only`)
    }
    const of = verb !== 'remove' && isAbsent(value) ? 'remove' : verb
    const change = { attribute, sub, filter, value: of === verb ? value : undefined }
    if (this.#changeKeyed(of, extension, change)) return
    this.#settle(attribute)
    const now = this.#holder(extension)[attribute.name]
    this.#put(extension, attribute, changed(of, { ...change, before: now }))
  }

  #holder(extension: string | undefined): JsonObject {
    if (extension === undefined) return this.#resource
    const held = this.#resource[extension]
    return isObject(held) ? held : {}
  }

  #put(extension: string | undefined, attribute: Attribute, value: Json | undefined): void {
    if (isAbsent(value) && attribute.required)
      throw new Refused('mutability', `${attribute.name} is required`)
    const holder: Record<string, Json | undefined> =
      extension === undefined ? this.#resource : { ...this.#holder(extension) }
    if (isAbsent(value)) delete holder[attribute.name]
    else holder[attribute.name] = value
    if (extension === undefined) return
    if (Object.keys(holder).length === 0) delete this.#resource[extension]
    else this.#resource[extension] = holder
  }

  /** Whether it was a change of single values, each known by itself: no other value was looked at. */
  #changeKeyed(
    verb: Verb,
    extension: string | undefined,
    { attribute, sub, filter, value }: Omit<Change, 'before'>,
  ): boolean {
    if (!attribute.multiValued || sub !== undefined) return false
    if (verb === 'add' && filter === undefined) {
      const { values } = this.#keyedOf(extension, attribute)
      for (const each of readValue(attribute, value!) as readonly Json[])
        if (!isAbsent(each)) addTo(values, keyOf(attribute, each), each)
      return true
    }
    if (verb !== 'remove') return false
    const gone = filter === undefined ? goneOf(attribute, value) : keyIn(filter, attribute)
    if (gone === undefined) return false
    const { values } = this.#keyedOf(extension, attribute)
    for (const key of gone) values.delete(key)
    return true
  }

  #keyedOf(extension: string | undefined, attribute: Attribute): Keyed {
    let keyed = this.#keyed.get(attribute)
    if (keyed === undefined) {
      const list = listOf(this.#holder(extension)[attribute.name])
      keyed = { extension, values: new Map(list.map((each) => [keyOf(attribute, each), each])) }
      this.#keyed.set(attribute, keyed)
    }
    return keyed
  }

  #settle(attribute: Attribute): void {
    const keyed = this.#keyed.get(attribute)
    if (keyed === undefined) return
    this.#keyed.delete(attribute)
    this.#put(keyed.extension, attribute, [...keyed.values.values()])
  }
}

function changed(verb: Verb, ask: Change): Json | undefined {
  const { attribute, filter, sub, before, value } = ask
  if (!attribute.multiValued) {
    if (filter === undefined) return single(verb, ask)
    throw new Refused('invalidPath', `${attribute.name} has one value: no filter chooses`)
  }
  const list = listOf(before)
  if (filter !== undefined) return chosen(verb, ask, list)
  if (sub !== undefined) return eachPart(verb, ask, list)
  if (verb !== 'replace') return undefined
  const values = new Map<string, Json>()
  for (const each of readValue(attribute, value!) as readonly Json[])
    if (!isAbsent(each)) addTo(values, keyOf(attribute, each), each)
  return [...values.values()]
}

/** A value that is new, or what is newly said of one that is there already. */
function addTo(values: Map<string, Json>, key: string, value: Json): void {
  const known = values.get(key)
  values.set(key, known !== undefined && isObject(value) ? { ...asObject(known), ...value } : value)
  if (!isPrimary(value)) return
  for (const [other, each] of values)
    if (other !== key && isPrimary(each)) values.set(other, { ...asObject(each), primary: false })
}

interface Change {
  readonly attribute: Attribute
  readonly sub: Attribute | undefined
  readonly filter: Filter | undefined
  readonly before: Json | undefined
  readonly value: Json | undefined
}

const withSub = (path: PatchPath['path'], sub: string | undefined): PatchPath['path'] =>
  sub === undefined ? path : { ...path, sub }

/** What a value is known by among those of its attribute. */
function keyOf(attribute: Attribute, value: Json): string {
  const simple = isObject(value) ? value['value'] : value
  if (typeof simple !== 'string') return JSON.stringify(value)
  return partOfValue(attribute)?.caseExact === true ? simple : asciiLower(simple)
}

const partOfValue = ({ subAttributes }: Attribute): Attribute | undefined =>
  subAttributes?.find(({ name }) => name === 'value')

/** `remove` with the values that go, as Entra ID sends it; undefined: all of them go. */
const goneOf = (attribute: Attribute, value: Json | undefined): readonly string[] | undefined =>
  isAbsent(value)
    ? undefined
    : listOf(value).map((each) => keyOf(attribute, readOne(attribute, each)))

/** The one value that `[value eq "…"]` chooses; undefined: the filter is another one. */
function keyIn(filter: Filter, attribute: Attribute): readonly string[] | undefined {
  if (filter.kind !== 'compare' || filter.operator !== 'eq') return undefined
  const { path, value } = filter
  const isIt = path.urn === undefined && path.sub === undefined && asciiLower(path.name) === 'value'
  if (!isIt || typeof value !== 'string') return undefined
  return partOfValue(attribute)?.caseExact === true ? [value] : undefined
}

const isPrimary = (value: Json): boolean => isObject(value) && value['primary'] === true

/** Of several values one is primary at most (RFC 7644 §3.5.2). */
function onlyPrimary(list: Json[], at: number): void {
  for (const [index, value] of list.entries())
    if (index !== at && isPrimary(value)) list[index] = { ...asObject(value), primary: false }
}

function single(verb: Verb, { attribute, sub, before, value }: Change): Json | undefined {
  if (sub === undefined) {
    if (verb === 'remove') return undefined
    const read = readValue(attribute, value!)
    // What is not said of a complex value stays as it is (RFC 7644 §3.5.2.3).
    return attribute.type === 'complex' && isObject(read)
      ? { ...(isObject(before) && before), ...read }
      : read
  }
  const whole: Record<string, Json | undefined> = isObject(before) ? { ...before } : {}
  if (verb === 'remove') delete whole[sub.name]
  else whole[sub.name] = readValue(sub, value!)
  return Object.keys(whole).length === 0 ? undefined : whole
}

/** Those values that a filter chooses. */
function chosen(verb: Verb, ask: Change, list: readonly Json[]): Json | undefined {
  const { attribute, filter, sub, value } = ask
  const matches = valueMatcherOf(filter!, attribute)
  if (verb === 'remove') {
    if (sub === undefined || sub.name === 'value')
      return list.filter((each) => !matches(asObject(each)))
    return list.map((each) => (matches(asObject(each)) ? lacking(asObject(each), sub) : each))
  }
  const part = partOf(attribute, sub, value!)
  const after = [...list]
  let last = -1
  for (const [index, each] of list.entries()) {
    if (!matches(asObject(each))) continue
    last = index
    after[index] =
      sub === undefined && verb === 'replace' ? part : { ...asObject(each), ...asObject(part) }
  }
  if (last < 0) {
    // RFC 7644 §3.5.2.3 wants noTarget of a replace; Entra ID sends it for what is not there yet.
    const made = { ...selected(filter!, attribute), ...asObject(part) }
    last = after.push(made) - 1
  }
  if (isPrimary(after[last]!)) onlyPrimary(after, last)
  return after
}

/** A part of all values, or of the only one that can be meant. */
function eachPart(verb: Verb, ask: Change, list: readonly Json[]): Json | undefined {
  const { attribute, sub, value } = ask
  if (verb === 'remove')
    return sub!.name === 'value' ? undefined : list.map((each) => lacking(asObject(each), sub!))
  const part = asObject(partOf(attribute, sub, value!))
  if (list.length === 0) return [part]
  const primary = list.length === 1 ? 0 : list.findIndex(isPrimary)
  if (primary < 0)
    throw new Refused('noTarget', `${attribute.name} has several values: a filter chooses one`)
  return list.with(primary, { ...asObject(list[primary]!), ...part })
}

const partOf = (attribute: Attribute, sub: Attribute | undefined, value: Json): Json =>
  sub === undefined ? readOne(attribute, value) : { [sub.name]: readValue(sub, value) }

const lacking = ({ ...value }: Record<string, Json | undefined>, sub: Attribute): JsonObject => {
  delete value[sub.name]
  return value
}

/** What a value must have to be one that the filter chooses; only what is said by `eq` tells. */
function selected(filter: Filter, attribute: Attribute): JsonObject {
  if (filter.kind === 'and')
    return Object.assign({}, ...filter.filters.map((each) => selected(each, attribute)))
  const sub =
    filter.kind === 'compare' && filter.operator === 'eq'
      ? attribute.subAttributes?.find(
          ({ name }) => asciiLower(name) === asciiLower(filter.path.name),
        )
      : undefined
  if (filter.kind !== 'compare' || sub === undefined || filter.value === null)
    throw new Refused('noTarget', `no value of ${attribute.name} is meant by the filter`)
  const value = sub.type === 'boolean' ? booleanOf(filter.value) : filter.value
  return { [sub.name]: value ?? null }
}
