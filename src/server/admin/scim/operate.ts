import { asciiLower } from '#base/text.ts'
import { err, ok } from '#base/outcome.ts'
import type { FastifyRequest } from 'fastify'
import { isAbsent, isObject } from '#codec/scim/json.ts'
import type { Json, JsonObject } from '#codec/scim/json.ts'
import { applyPatch } from '#codec/scim/patch.ts'
import { Refused } from '#codec/scim/problem.ts'
import { isSelected, select } from '#codec/scim/select.ts'
import type { Selection } from '#codec/scim/select.ts'
import { readResource } from '#codec/scim/values.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { authorOf } from '#server/admin/context.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { ApiError } from '#server/admin/errors.ts'
import { needTouchAll } from '#server/admin/permission.ts'
import { everything } from './resource-kind.ts'
import type { ResourceKind, View } from './resource-kind.ts'
import { gone, ScimError } from './scim-error.ts'

/** Who asks, and how the answers name places. */
export interface Asker {
  readonly deps: Pick<AdminDeps, 'directory' | 'hub'>
  readonly request: FastifyRequest
  /** `https://HOST/scim/v2`. */
  readonly base: string
}

export interface Answer {
  readonly status: number
  readonly body?: JsonObject
  readonly location?: string
  /** The ETag. */
  readonly version?: string
}

/** What one asks for, besides the thing itself. */
export interface Terms {
  readonly selection?: Selection
  /** If-Match, or `version` of an operation of many. */
  readonly version?: string | undefined
}

export const nowOf = ({ deps }: Asker): Directory => deps.directory.directory

const viewOf = (asker: Asker, wants: View['wants'] = everything): View => ({
  now: nowOf(asker),
  base: asker.base,
  wants,
})

/** A resource as it is answered, with its version. */
export function answered<Row>(
  asker: Asker,
  kind: ResourceKind<Row>,
  { row, selection = {} }: { readonly row: Row; readonly selection?: Selection | undefined },
): { readonly body: JsonObject; readonly version: string; readonly location: string } {
  const { schema } = kind
  const wants: View['wants'] = (attribute) =>
    isSelected(schema, selection, attribute) || selection.only?.some(({ urn }) => urn) === true
  const whole = kind.show(row, viewOf(asker, wants))
  const meta = isObject(whole['meta']) ? whole['meta'] : {}
  const version = `W/"${kind.version(nowOf(asker), row)}"`
  const body = select(schema, { ...whole, meta: { ...meta, version } }, selection)
  const place = meta['location']
  return { body, version, location: typeof place === 'string' ? place : asker.base }
}

export function get<Row>(
  asker: Asker,
  kind: ResourceKind<Row>,
  { id, selection }: Terms & { readonly id: string },
): Answer {
  const row = kind.find(nowOf(asker), id)
  if (row === undefined) throw gone(kind.name, id)
  return { status: 200, ...answered(asker, kind, { row, selection }) }
}

export async function create<Row>(
  asker: Asker,
  kind: ResourceKind<Row>,
  { data, selection }: Terms & { readonly data: Json | undefined },
): Promise<Answer> {
  const told = readResource(kind.schema, objectOf(data))
  const secrets = await kind.prepare?.(told)
  const { request } = asker
  const id = await written(asker, (now) =>
    kind.write({ now, request, before: undefined, shown: undefined, told, secrets }),
  )
  return { ...get(asker, kind, { id, selection: selection ?? {} }), status: 201 }
}

/** PUT: what the client tells takes the place of what stood there (RFC 7644 §3.5.1). */
export async function replace<Row>(
  asker: Asker,
  kind: ResourceKind<Row>,
  {
    id,
    data,
    selection,
    version,
  }: Terms & { readonly id: string; readonly data: Json | undefined },
): Promise<Answer> {
  const body = objectOf(data)
  const read = readResource(kind.schema, body)
  const secrets = await kind.prepare?.(read)
  await change(asker, kind, { id, version, secrets, make: (shown) => keeping(shown, body, read) })
  return get(asker, kind, { id, selection: selection ?? {} })
}

export async function patch<Row>(
  asker: Asker,
  kind: ResourceKind<Row>,
  {
    id,
    data,
    selection,
    version,
  }: Terms & { readonly id: string; readonly data: Json | undefined },
): Promise<Answer> {
  const body = objectOf(data)
  const make = (shown: JsonObject): JsonObject => {
    const patched = applyPatch(kind.schema, shown, body)
    if (!patched.ok) throw new Refused(patched.error.scimType, patched.error.detail)
    return patched.value
  }
  const row = kind.find(nowOf(asker), id)
  if (row === undefined) throw gone(kind.name, id)
  const secrets = kind.prepare && (await kind.prepare(make(kind.show(row, viewOf(asker)))))
  await change(asker, kind, { id, version, secrets, make })
  if (kind.name === 'User' || selection !== undefined)
    return get(asker, kind, { id, selection: selection ?? {} })
  // All members of a group would be an answer of a megabyte to who adds one (RFC 7644 §3.5.2).
  const { body: _, ...rest } = get(asker, kind, { id, selection: { only: [] } })
  return { ...rest, status: 204 }
}

export async function remove<Row>(
  asker: Asker,
  kind: ResourceKind<Row>,
  { id, version }: Terms & { readonly id: string },
): Promise<Answer> {
  await written(asker, (now) => {
    const row = found(now, kind, { id, version })
    return { id, edits: kind.remove(now, row, asker.request) }
  })
  return { status: 204 }
}

/** Makes a row another, from what is shown of it when it is this write's turn. */
async function change<Row>(
  asker: Asker,
  kind: ResourceKind<Row>,
  ask: {
    readonly id: string
    readonly version: string | undefined
    readonly secrets: Awaited<ReturnType<NonNullable<ResourceKind<Row>['prepare']>>>
    readonly make: (shown: JsonObject) => JsonObject
  },
): Promise<void> {
  const { request } = asker
  await written(asker, (now) => {
    const before = found(now, kind, ask)
    const shown = kind.show(before, viewOf(asker))
    return kind.write({ now, request, before, shown, told: ask.make(shown), secrets: ask.secrets })
  })
}

function found<Row>(
  now: Directory,
  kind: ResourceKind<Row>,
  { id, version }: { readonly id: string; readonly version?: string | undefined },
): Row {
  const row = kind.find(now, id)
  if (row === undefined) throw gone(kind.name, id)
  if (!isVersion(version, kind.version(now, row)))
    throw new ScimError(412, `${kind.name} ${id} has changed meanwhile: look at it again first`)
  return row
}

/** Whether an If-Match, or an If-None-Match, names this version (RFC 7644 §3.14); none names all. */
export const isVersion = (header: string | undefined, version: string): boolean =>
  header === undefined ||
  header.split(',').some((each) => {
    const tag = each.trim().replace(/^W\//, '')
    return tag === '*' || tag === `"${version}"`
  })

/** Writes in one step, with the same checks as every other door; answers the id of what was written. */
async function written(
  { deps, request }: Asker,
  make: (now: Directory) => { readonly id: string; readonly edits: readonly DirectoryEdit[] },
): Promise<string> {
  let id = ''
  let isSame = false
  const done = await deps.directory.update((now) => {
    const made = make(now)
    needTouchAll(request, now, made.edits)
    id = made.id
    isSame = made.edits.length === 0
    return isSame ? err({ code: 'conflict', message: '', remedy: '' }) : ok(made.edits)
  }, authorOf(request))
  if (!done.ok && !isSame)
    throw new ApiError(done.error.code, done.error.message, done.error.remedy)
  return id
}

function objectOf(data: Json | undefined): JsonObject {
  if (isObject(data)) return data
  throw new Refused('invalidSyntax', 'the body is no object of JSON')
}

/** What only an empty value takes away: who leaves it out does not know of it. */
const KEPT = ['externalId', 'emails', 'active', 'members']

function keeping(shown: JsonObject, body: JsonObject, read: JsonObject): JsonObject {
  const told = namesOf(body)
  const kept: Record<string, Json | undefined> = { ...read }
  for (const name of KEPT)
    if (!told.has(asciiLower(name)) && shown[name] !== undefined) kept[name] = shown[name]
  for (const [urn, part] of Object.entries(shown))
    if (urn.includes(':extension:watari:') && isObject(part)) {
      const [, ours] =
        Object.entries(body).find(([name]) => asciiLower(name) === asciiLower(urn)) ?? []
      const toldOfOurs = isAbsent(ours) ? new Set<string>() : namesOf(isObject(ours) ? ours : {})
      const rest = Object.entries(part).filter(([name]) => !toldOfOurs.has(asciiLower(name)))
      const ofRead = read[urn]
      kept[urn] = { ...Object.fromEntries(rest), ...(isObject(ofRead) && ofRead) }
    }
  return kept
}

const namesOf = (body: JsonObject): ReadonlySet<string> =>
  new Set(Object.keys(body).map((name) => asciiLower(name)))
