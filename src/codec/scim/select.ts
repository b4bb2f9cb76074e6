import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { isAbsent, isObject, listOf } from './json.ts'
import type { Json, JsonObject } from './json.ts'
import { comparable, valuesAt } from './match.ts'
import { parseAttributePath } from './path.ts'
import type { AttributePath } from './path.ts'
import type { ScimProblem } from './problem.ts'
import { COMMON, locate } from './schema.ts'
import type { Attribute, Place, ResourceSchema } from './schema.ts'

const NAMES_MAX = 100

/** Which attributes are answered (RFC 7644 §3.9). */
export interface Selection {
  readonly only?: readonly AttributePath[]
  readonly without?: readonly AttributePath[]
}

/** From `attributes` and `excludedAttributes`, names between commas or a list of them. */
export function parseSelection(ask: {
  readonly attributes?: Json | undefined
  readonly excludedAttributes?: Json | undefined
}): Outcome<Selection, ScimProblem> {
  const only = namesOf(ask.attributes)
  if (!only.ok) return only
  const without = namesOf(ask.excludedAttributes)
  if (!without.ok) return without
  return ok({
    ...(only.value.length > 0 && { only: only.value }),
    ...(without.value.length > 0 && { without: without.value }),
  })
}

function namesOf(value: Json | undefined): Outcome<readonly AttributePath[], ScimProblem> {
  if (isAbsent(value)) return ok([])
  const texts = listOf(value)
    .flatMap((each) => (typeof each === 'string' ? each.split(',') : []))
    .map((text) => text.trim())
    .filter((text) => text !== '')
  if (texts.length > NAMES_MAX)
    return err({ scimType: 'tooMany', detail: `more than ${NAMES_MAX} attributes` })
  const paths: AttributePath[] = []
  for (const text of texts) {
    const path = parseAttributePath(text)
    if (!path.ok) return err({ scimType: 'invalidPath', detail: path.error })
    paths.push(path.value)
  }
  return ok(paths)
}

/** Whether an attribute of the core schema is answered at all: what costs much is not made in vain. */
export function isSelected(schema: ResourceSchema, { only, without }: Selection, name: string) {
  const isIt = (path: AttributePath): boolean => locate(schema, path)?.attribute?.name === name
  if (only !== undefined) return only.some(isIt)
  return without?.some((path) => path.sub === undefined && isIt(path)) !== true
}

/** The resource with what was asked for; what is always answered stays. */
export function select(
  schema: ResourceSchema,
  resource: JsonObject,
  { only, without }: Selection,
): JsonObject {
  const places = (paths: readonly AttributePath[]): Place[] =>
    paths.flatMap((path) => locate(schema, path) ?? [])
  let selected = resource
  if (only !== undefined) {
    selected = {}
    for (const place of [...ALWAYS, ...places(only)])
      selected = including(selected, resource, place)
  }
  for (const place of places(without ?? [])) selected = excluding(selected, place)
  return selected
}

const isAlways = ({ returned }: Attribute): boolean => returned === 'always'

const ALWAYS: readonly Place[] = COMMON.filter(isAlways).map((attribute) => ({ attribute }))

function including(selected: JsonObject, resource: JsonObject, place: Place): JsonObject {
  const { extension, attribute, sub } = place
  if (extension !== undefined) {
    const from = resource[extension]
    if (!isObject(from)) return selected
    if (attribute === undefined) return { ...selected, [extension]: from }
    const into = selected[extension]
    const inner = { attribute, ...(sub && { sub }) }
    return { ...selected, [extension]: including(isObject(into) ? into : {}, from, inner) }
  }
  const value = attribute && resource[attribute.name]
  if (attribute === undefined || value === undefined) return selected
  if (sub === undefined) return { ...selected, [attribute.name]: value }
  const before = selected[attribute.name]
  const pick = (each: Json, index: number): Json => {
    const known = Array.isArray(before) ? (before[index] as Json) : before
    const part = isObject(each) ? each[sub.name] : undefined
    return { ...(isObject(known) && known), ...(part !== undefined && { [sub.name]: part }) }
  }
  const picked = Array.isArray(value) ? value.map(pick) : pick(value, 0)
  return { ...selected, [attribute.name]: picked }
}

function excluding(selected: JsonObject, { extension, attribute, sub }: Place): JsonObject {
  if (extension !== undefined) {
    const from = selected[extension]
    if (!isObject(from)) return selected
    if (attribute === undefined) return lacking(selected, extension)
    return { ...selected, [extension]: excluding(from, { attribute, ...(sub && { sub }) }) }
  }
  if (attribute === undefined || isAlways(attribute)) return selected
  if (sub === undefined) return lacking(selected, attribute.name)
  const value = selected[attribute.name]
  const cut = (each: Json): Json => (isObject(each) ? lacking(each, sub.name) : each)
  if (value === undefined) return selected
  return { ...selected, [attribute.name]: Array.isArray(value) ? value.map(cut) : cut(value) }
}

function lacking(value: JsonObject, name: string): JsonObject {
  const { [name]: _, ...rest } = value
  return rest
}

/** What resources are sorted by: of several values the primary one, else the first (RFC 7644 §3.4.2.3). */
export function sortKeyOf(
  schema: ResourceSchema,
  path: AttributePath,
): (resource: JsonObject) => string | number | boolean | undefined {
  const place = locate(schema, path)
  const leaf = place?.sub ?? place?.attribute
  const simple = leaf?.subAttributes?.find(({ name }) => name === 'value') ?? leaf
  if (place?.attribute === undefined || simple === undefined) return () => undefined
  const { sub: _, ...whole } = place
  return (resource) => {
    const values = valuesAt(resource, whole)
    const first = values.find((each) => isObject(each) && each['primary'] === true) ?? values[0]
    const value = isObject(first) ? first[place.sub?.name ?? 'value'] : first
    return isAbsent(value) ? undefined : comparable(simple, value)
  }
}
