import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Filter } from '#codec/scim/filter.ts'
import type { JsonObject } from '#codec/scim/json.ts'
import type { ResourceSchema } from '#codec/scim/schema.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'

/** Users or groups: how they stand in the directory, and how SCIM shows them. */
export interface ResourceKind<Row> {
  readonly name: 'User' | 'Group'
  readonly endpoint: '/Users' | '/Groups'
  readonly schema: ResourceSchema
  idOf(row: Row): string
  find(now: Directory, id: string): Row | undefined
  all(now: Directory): Iterable<Row>
  /** The filter as resources are shown, where clients may write values in another way. */
  asShown?(now: Directory, filter: Filter): Filter
  /** The few among which those that a filter is for must be; undefined: it may be any. */
  few(now: Directory, filter: Filter): readonly Row[] | undefined
  /** The whole resource; what costs much only where `wants` says so. */
  show(row: Row, view: View): JsonObject
  version(now: Directory, row: Row): string
  /** What must be worked out before it is the turn of a write, such as hashes of passwords. */
  prepare?(resource: JsonObject): Promise<Secrets | undefined>
  /** What makes the row what is told; `before` is undefined where it is new. */
  write(write: Write<Row>): { readonly id: string; readonly edits: readonly DirectoryEdit[] }
  remove(now: Directory, row: Row, request: FastifyRequest): readonly DirectoryEdit[]
}

export interface View {
  readonly now: Directory
  /** `https://HOST/scim/v2`, or only a path where nobody says which host it is. */
  readonly base: string
  readonly wants: (attribute: 'groups' | 'members') => boolean
}

export interface Secrets {
  readonly credential?: string
  readonly scram?: string
}

export interface Write<Row> {
  readonly now: Directory
  readonly request: FastifyRequest
  readonly before: Row | undefined
  /** The resource as it is shown before, and as it is to be. */
  readonly shown: JsonObject | undefined
  readonly told: JsonObject
  readonly secrets: Secrets | undefined
}

export const hashOf = (row: unknown): string =>
  createHash('sha256').update(JSON.stringify(row)).digest('hex').slice(0, 16)

export const everything = (): boolean => true

/** The value of the only comparison by `eq` that all that match must fulfil, of an attribute; undefined: none. */
export function wantedValue(filter: Filter, attribute: string): string | undefined {
  if (filter.kind === 'and') {
    for (const each of filter.filters) {
      const wanted = wantedValue(each, attribute)
      if (wanted !== undefined) return wanted
    }
    return undefined
  }
  if (filter.kind === 'value') {
    if (filter.path.name.toLowerCase() !== attribute) return undefined
    return wantedValue(filter.filter, 'value')
  }
  if (filter.kind !== 'compare' || filter.operator !== 'eq') return undefined
  const { path, value } = filter
  const isValue = path.sub === undefined || path.sub.toLowerCase() === 'value'
  const isIt = path.name.toLowerCase() === attribute && isValue
  return isIt && typeof value === 'string' ? value : undefined
}
