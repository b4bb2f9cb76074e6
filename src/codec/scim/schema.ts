import { asciiLower } from '#base/text.ts'
import type { AttributePath } from './path.ts'

/** An attribute as it is described to clients (RFC 7643 §7). */
export interface Attribute {
  readonly name: string
  readonly type:
    | 'string'
    | 'boolean'
    | 'decimal'
    | 'integer'
    | 'dateTime'
    | 'reference'
    | 'binary'
    | 'complex'
  readonly description: string
  readonly multiValued?: true
  readonly required?: true
  readonly caseExact?: true
  readonly mutability?: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly'
  readonly returned?: 'always' | 'never' | 'default' | 'request'
  readonly uniqueness?: 'none' | 'server' | 'global'
  readonly canonicalValues?: readonly string[]
  readonly referenceTypes?: readonly string[]
  readonly subAttributes?: readonly Attribute[]
}

export interface Schema {
  /** A URN. */
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

/** What resources of one type are made of. */
export interface ResourceSchema {
  readonly core: Schema
  readonly extensions: readonly Schema[]
  /** Lower-case names of RFC 7643 that clients may send, and that are not kept. */
  readonly unkept: ReadonlySet<string>
}

/** Where a path leads. */
export interface Place {
  /** The extension that the attribute is of; absent: the core schema, or what all resources have. */
  readonly extension?: string
  /** Absent: the whole extension. */
  readonly attribute?: Attribute
  readonly sub?: Attribute
}

const META_TEXT = { type: 'string', caseExact: true, mutability: 'readOnly' } as const

/** What every resource has, whatever its schemas say (RFC 7643 §3). */
export const COMMON: readonly Attribute[] = [
  {
    name: 'schemas',
    type: 'reference',
    multiValued: true,
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    description: 'The schemas of the resource.',
  },
  {
    name: 'id',
    type: 'string',
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
    description: 'What the resource is known by here; it never changes.',
  },
  {
    name: 'externalId',
    type: 'string',
    caseExact: true,
    description: 'What the client knows the resource by.',
  },
  {
    name: 'meta',
    type: 'complex',
    mutability: 'readOnly',
    description: 'What is known about the resource itself.',
    subAttributes: [
      { name: 'resourceType', ...META_TEXT, description: 'User or Group.' },
      {
        name: 'created',
        type: 'dateTime',
        mutability: 'readOnly',
        description: 'When it was made, where that is known.',
      },
      { name: 'location', ...META_TEXT, description: 'Where it is.' },
      { name: 'version', ...META_TEXT, description: 'Its ETag.' },
    ],
  },
]

const same = (a: string, b: string): boolean => asciiLower(a) === asciiLower(b)

const named = (attributes: readonly Attribute[] | undefined, name: string): Attribute | undefined =>
  attributes?.find((attribute) => same(attribute.name, name))

/** What a path means for resources of a type; undefined: they have nothing of that name. */
export function locate(schema: ResourceSchema, path: AttributePath): Place | undefined {
  const { urn, name, sub } = path
  if (urn !== undefined && sub === undefined) {
    const whole = schema.extensions.find(({ id }) => same(id, `${urn}:${name}`))
    if (whole !== undefined) return { extension: whole.id }
  }
  if (urn === undefined || same(urn, schema.core.id)) {
    const attribute = named(COMMON, name) ?? named(schema.core.attributes, name)
    return attribute && withSub({ attribute }, sub)
  }
  const extension = schema.extensions.find(({ id }) => same(id, urn))
  const attribute = named(extension?.attributes, name)
  if (extension === undefined || attribute === undefined) return undefined
  return withSub({ extension: extension.id, attribute }, sub)
}

function withSub(place: Place, name: string | undefined): Place | undefined {
  if (name === undefined) return place
  const sub = named(place.attribute?.subAttributes, name)
  return sub && { ...place, sub }
}

/** A schema as `/Schemas` tells it: nothing is left to be guessed. */
export const describe = ({ id, name, description, attributes }: Schema) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
  id,
  name,
  description,
  attributes: attributes.map(described),
})

function described(attribute: Attribute): object {
  const { subAttributes, canonicalValues, referenceTypes } = attribute
  return {
    name: attribute.name,
    type: attribute.type,
    multiValued: attribute.multiValued ?? false,
    description: attribute.description,
    required: attribute.required ?? false,
    caseExact: attribute.caseExact ?? false,
    mutability: attribute.mutability ?? 'readWrite',
    returned: attribute.returned ?? 'default',
    uniqueness: attribute.uniqueness ?? 'none',
    ...(canonicalValues && { canonicalValues }),
    ...(referenceTypes && { referenceTypes }),
    ...(subAttributes && { subAttributes: subAttributes.map(described) }),
  }
}
