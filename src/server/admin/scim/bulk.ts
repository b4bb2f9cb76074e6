import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Log } from '#base/log.ts'
import { isObject } from '#codec/scim/json.ts'
import type { Json, JsonObject } from '#codec/scim/json.ts'
import { Refused } from '#codec/scim/problem.ts'
import { create, patch, remove, replace } from './operate.ts'
import type { Answer, Asker } from './operate.ts'
import type { ResourceKind } from './resource-kind.ts'
import { errorBodyOf, ScimError } from './scim-error.ts'

export const BULK_OPERATIONS_MAX = 1_000
/** How often it is looked whether what others wait for is there. */
const PASSES_MAX = 50
/** Hashes of a thousand passwords are half a minute's work. */
const BULK_MS_MAX = 1.5 * MINUTE_MS

interface Operation {
  readonly method: string
  readonly path: string
  readonly bulkId?: string
  readonly version?: string
  readonly data?: Json | undefined
}

/**
 * Many operations, each by itself, in their order; one that names another by its bulkId waits until that
 * one is there (RFC 7644 §3.7). Those that name one another in a circle are refused.
 */
export async function bulk(
  asker: Asker,
  body: JsonObject,
  parts: {
    readonly kinds: readonly ResourceKind<unknown>[]
    readonly clock: Clock
    readonly log: Log
  },
): Promise<JsonObject> {
  const operations = operationsOf(body)
  const failuresMax = typeof body['failOnErrors'] === 'number' ? body['failOnErrors'] : Infinity
  const endMs = parts.clock.monotonicMs() + BULK_MS_MAX
  const ids = new Map<string, string>()
  const answers = new Map<Operation, JsonObject>()
  let failures = 0
  const answer = async (operation: Operation, resolved: Operation | undefined): Promise<void> => {
    if (failures >= failuresMax) return
    const answered = await answerOf(asker, resolved, { ...parts, endMs, operation, ids })
    if (answered.isError) failures++
    answers.set(operation, answered.body)
  }
  let waiting = operations
  for (let pass = 0; waiting.length > 0 && pass < PASSES_MAX; pass++) {
    const later: Operation[] = []
    for (const operation of waiting) {
      const resolved = withIds(operation, ids)
      if (resolved === undefined) later.push(operation)
      else await answer(operation, resolved)
    }
    if (later.length === waiting.length) break
    waiting = later
  }
  for (const operation of waiting) if (!answers.has(operation)) await answer(operation, undefined)
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkResponse'],
    Operations: operations
      .map((operation) => answers.get(operation))
      .filter((answer) => answer !== undefined),
  }
}

function operationsOf(body: JsonObject): readonly Operation[] {
  const { Operations: operations } = body
  if (!Array.isArray(operations)) throw new Refused('invalidSyntax', 'a bulk has Operations')
  if (operations.length > BULK_OPERATIONS_MAX)
    throw new ScimError(413, `more than ${BULK_OPERATIONS_MAX} operations: send fewer at once`)
  return (operations as readonly Json[]).map((operation): Operation => {
    const { method, path, bulkId, version, data } = isObject(operation) ? operation : {}
    if (typeof method !== 'string' || typeof path !== 'string')
      throw new Refused('invalidSyntax', 'an operation has a method and a path')
    return {
      method: method.toUpperCase(),
      path,
      data,
      ...(typeof bulkId === 'string' && { bulkId }),
      ...(typeof version === 'string' && { version }),
    }
  })
}

/** The operation with ids in the place of bulkIds; undefined: it names one that is not there yet. */
function withIds(operation: Operation, ids: ReadonlyMap<string, string>): Operation | undefined {
  let isWhole = true
  const replaced = (text: string): string => {
    const id = ids.get(text.slice('bulkId:'.length))
    if (id === undefined) isWhole = false
    return id ?? text
  }
  const walk = (value: Json | undefined): Json | undefined => {
    if (typeof value === 'string') return value.startsWith('bulkId:') ? replaced(value) : value
    if (Array.isArray(value))
      return (value as readonly Json[]).map((each): Json => walk(each) ?? null)
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each)]))
  }
  const data = walk(operation.data)
  const path = operation.path.replace(/bulkId:[^/]+$/, (text) => encodeURIComponent(replaced(text)))
  return isWhole ? { ...operation, path, data } : undefined
}

async function answerOf(
  asker: Asker,
  resolved: Operation | undefined,
  parts: Parameters<typeof bulk>[2] & {
    readonly endMs: number
    readonly operation: Operation
    readonly ids: Map<string, string>
  },
): Promise<{ readonly body: JsonObject; readonly isError: boolean }> {
  const { method, bulkId } = parts.operation
  const said = { method, ...(bulkId !== undefined && { bulkId }) }
  try {
    if (resolved === undefined)
      throw new ScimError(409, 'it names a bulkId that is not there, or that names it')
    if (parts.clock.monotonicMs() > parts.endMs)
      throw new ScimError(503, 'the time of this request is over: send the rest once more')
    const { status, location, version, body } = await carriedOut(asker, resolved, parts.kinds)
    const id = body?.['id']
    if (bulkId !== undefined && typeof id === 'string') parts.ids.set(bulkId, id)
    const place = { ...(location !== undefined && { location }), ...(version && { version }) }
    return { body: { ...said, ...place, status: String(status) }, isError: false }
  } catch (thrown) {
    const response = { ...errorBodyOf(thrown, parts.log) }
    return { body: { ...said, status: response.status, response }, isError: true }
  }
}

async function carriedOut(
  asker: Asker,
  { method, path, data, version, bulkId }: Operation,
  kinds: readonly ResourceKind<unknown>[],
): Promise<Answer> {
  const [, endpoint, rest] = /^(\/[A-Za-z]+)(?:\/([^/?]+))?$/.exec(path) ?? []
  const kind = kinds.find((each) => each.endpoint === endpoint)
  if (kind === undefined) throw new ScimError(404, `there is no ${path.slice(0, 200)}`)
  if (method === 'POST' && rest === undefined) {
    if (bulkId === undefined) throw new Refused('invalidSyntax', 'a POST of many has a bulkId')
    return create(asker, kind, { data })
  }
  const id = rest === undefined ? undefined : idIn(rest)
  if (id === undefined)
    throw new Refused('invalidSyntax', `${method} ${path.slice(0, 200)} is none`)
  switch (method) {
    case 'PUT':
      return replace(asker, kind, { id, data, version })
    case 'PATCH':
      return patch(asker, kind, { id, data, version })
    case 'DELETE':
      return remove(asker, kind, { id, version })
    default:
      throw new Refused('invalidSyntax', `${method.slice(0, 20)} is no method of many`)
  }
}

function idIn(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
