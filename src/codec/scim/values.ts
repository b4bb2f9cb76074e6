import { asciiLower } from '#base/text.ts'
import { isAbsent, isObject, listOf } from './json.ts'
import type { Json, JsonObject } from './json.ts'
import { booleanOf } from './match.ts'
import { Refused } from './problem.ts'
import { COMMON } from './schema.ts'
import type { Attribute, ResourceSchema } from './schema.ts'

const TEXT_LENGTH_MAX = 4_096

/**
 * What a client says a resource is: names as the schema writes them, values of its types. What is read-only
 * is left out (RFC 7644 §3.3), and so is what the schema does not know. Throws Refused.
 */
export function readResource(schema: ResourceSchema, body: JsonObject): JsonObject {
  const read: Record<string, Json> = readAttributes([...COMMON, ...schema.core.attributes], body)
  for (const [name, value] of Object.entries(body)) {
    const extension = schema.extensions.find(({ id }) => asciiLower(id) === asciiLower(name))
    if (extension === undefined || isAbsent(value)) continue
    if (!isObject(value)) throw new Refused('invalidSyntax', `${name} is no object`)
    read[extension.id] = readAttributes(extension.attributes, value)
  }
  return read
}

function readAttributes(attributes: readonly Attribute[], body: JsonObject): Record<string, Json> {
  const known = new Map(attributes.map((attribute) => [asciiLower(attribute.name), attribute]))
  const read: Record<string, Json> = {}
  for (const [name, value] of Object.entries(body)) {
    const attribute = known.get(asciiLower(name))
    if (attribute === undefined || attribute.mutability === 'readOnly' || isAbsent(value)) continue
    const kept = readValue(attribute, value)
    if (!isAbsent(kept)) read[attribute.name] = kept
  }
  return read
}

/** The value of an attribute, all of them where it has several. Throws Refused. */
export const readValue = (attribute: Attribute, value: Json): Json =>
  attribute.multiValued
    ? listOf(value).map((each) => readOne(attribute, each))
    : readOne(attribute, Array.isArray(value) && value.length === 1 ? (value[0] as Json) : value)

/** One value of it. */
export function readOne(attribute: Attribute, value: Json): Json {
  const { type, subAttributes } = attribute
  if (type === 'complex') {
    if (isObject(value)) return readAttributes(subAttributes ?? [], value)
    // Entra ID sends the id of a manager alone, others an address for a value of emails.
    if (typeof value === 'string' && subAttributes?.some(({ name }) => name === 'value'))
      return value === '' ? null : { value: checkedText(attribute, value) }
    throw new Refused('invalidValue', `${attribute.name} is no object`)
  }
  const simple = isObject(value) && attribute.multiValued ? (value['value'] ?? null) : value
  if (type === 'boolean') return booleanOf(simple) ?? mismatch(attribute)
  if (type === 'integer' || type === 'decimal') return numberOf(attribute, simple)
  if (typeof simple === 'number') return String(simple)
  return typeof simple === 'string' ? checkedText(attribute, simple) : mismatch(attribute)
}

function numberOf(attribute: Attribute, value: Json): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) return mismatch(attribute)
  if (attribute.type === 'integer' && !Number.isSafeInteger(number)) return mismatch(attribute)
  return number
}

function checkedText({ name }: Attribute, text: string): string {
  if (text.length <= TEXT_LENGTH_MAX && !text.includes('\0') && text.isWellFormed()) return text
  throw new Refused('invalidValue', `${name} is no text of at most ${TEXT_LENGTH_MAX} characters`)
}

const mismatch = ({ name, type }: Attribute): never => {
  throw new Refused('invalidValue', `${name} is no ${type}`)
}
