import { parseFilter } from '#codec/scim/filter.ts'
import type { Filter } from '#codec/scim/filter.ts'
import { isObject } from '#codec/scim/json.ts'
import type { JsonObject } from '#codec/scim/json.ts'
import { matcherOf } from '#codec/scim/match.ts'
import { parseAttributePath } from '#codec/scim/path.ts'
import type { AttributePath } from '#codec/scim/path.ts'
import { Refused } from '#codec/scim/problem.ts'
import { parseSelection, sortKeyOf } from '#codec/scim/select.ts'
import type { Selection } from '#codec/scim/select.ts'
import { inTurns } from '#server/admin/lookup.ts'
import { answered, nowOf } from './operate.ts'
import type { Asker } from './operate.ts'
import type { ResourceKind } from './resource-kind.ts'

/** Resources of a page. */
export const COUNT_MAX = 1_000
const COUNT_DEFAULT = 100
/** Members of all groups of a page together. */
const PAGE_VALUES_MAX = 50_000
/** More are not sorted: the order would cost more than the page. */
const SORTED_MAX = 50_000
const LOOKED_AT_ONCE = 500

interface Query {
  readonly filter?: Filter
  readonly sortBy?: AttributePath
  readonly isDescending: boolean
  readonly startIndex: number
  readonly count: number
  readonly selection: Selection
}

/** From the query of a GET, or the body of a POST to `.search` (RFC 7644 §3.4.2, §3.4.3). */
function queryOf(ask: JsonObject): Query {
  const filter = textOf(ask, 'filter')
  const parsed = filter === undefined ? undefined : parseFilter(filter)
  if (parsed?.ok === false) throw new Refused(parsed.error.scimType, parsed.error.detail)
  const sortBy = textOf(ask, 'sortBy')
  const sorted = sortBy === undefined ? undefined : parseAttributePath(sortBy)
  if (sorted?.ok === false) throw new Refused('invalidPath', sorted.error)
  return {
    ...(parsed !== undefined && { filter: parsed.value }),
    ...(sorted !== undefined && { sortBy: sorted.value }),
    isDescending: textOf(ask, 'sortOrder')?.toLowerCase() === 'descending',
    // Less than 1 is 1, and a negative count is 0 (RFC 7644 §3.4.2.4).
    startIndex: Math.max(1, wholeOf(ask, 'startIndex') ?? 1),
    count: Math.min(COUNT_MAX, Math.max(0, wholeOf(ask, 'count') ?? COUNT_DEFAULT)),
    selection: selectionOf(ask),
  }
}

export function selectionOf({ attributes, excludedAttributes }: JsonObject): Selection {
  const selection = parseSelection({ attributes, excludedAttributes })
  if (!selection.ok) throw new Refused(selection.error.scimType, selection.error.detail)
  return selection.value
}

function textOf(ask: JsonObject, name: string): string | undefined {
  const value = ask[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw new Refused('invalidValue', `${name} is given once, as a text`)
}

function wholeOf(ask: JsonObject, name: string): number | undefined {
  const value = ask[name]
  if (value === undefined || value === null) return undefined
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number
  throw new Refused('invalidValue', `${name} is no whole number`)
}

/** A row of one of several kinds, shown when it is its turn. */
interface Match {
  readonly show: () => JsonObject
  readonly key: string | number | boolean | undefined
}

/** A page of all that match, of one kind or of several, in the order of their making or as is asked. */
export async function listed(
  asker: Asker,
  kinds: readonly ResourceKind<unknown>[],
  ask: JsonObject,
): Promise<JsonObject> {
  const query = queryOf(ask)
  const { startIndex, count } = query
  const matches: Match[] = []
  for (const kind of kinds) await matchesOf(asker, kind, { query, matches })
  if (query.sortBy !== undefined) inOrder(matches, query.isDescending)
  const resources: JsonObject[] = []
  let values = 0
  for (const { show } of matches.slice(startIndex - 1, startIndex - 1 + count)) {
    const resource = show()
    const { members } = resource
    values += Array.isArray(members) ? members.length : 0
    if (resources.length > 0 && values > PAGE_VALUES_MAX) break
    resources.push(resource)
  }
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: matches.length,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  }
}

async function matchesOf<Row>(
  asker: Asker,
  kind: ResourceKind<Row>,
  { query, matches }: { readonly query: Query; readonly matches: Match[] },
): Promise<void> {
  const { sortBy, selection } = query
  const now = nowOf(asker)
  const filter = query.filter && (kind.asShown?.(now, query.filter) ?? query.filter)
  const isMatch = filter && matcherOf(filter, kind.schema)
  const asked = JSON.stringify([filter, sortBy]).toLowerCase()
  const view = {
    now,
    base: asker.base,
    wants: (name: string) => asked.includes(name) || isOurs(asked),
  }
  const keyOf = sortBy && sortKeyOf(kind.schema, sortBy)
  const rows = (filter && kind.few(now, filter)) ?? [...kind.all(now)]
  // Whoever else waits for this process comes in between.
  await inTurns(rows, LOOKED_AT_ONCE, (row) => {
    const shown = isMatch || keyOf ? kind.show(row, view) : undefined
    if (shown !== undefined && isMatch?.(shown) === false) return
    matches.push({
      key: shown && keyOf?.(shown),
      show: () => answered(asker, kind, { row, selection }).body,
    })
    if (keyOf !== undefined && matches.length > SORTED_MAX)
      throw new Refused('tooMany', `more than ${SORTED_MAX} match: sort fewer, by a filter`)
  })
}

/** Members outside are of the extension, and cost what members do. */
const isOurs = (asked: string): boolean => asked.includes('outsidemembers')

/** What has no value comes last, and first where the order is turned round (RFC 7644 §3.4.2.3). */
function inOrder(matches: Match[], isDescending: boolean): void {
  const sign = isDescending ? -1 : 1
  matches.sort(({ key: a }, { key: b }) => {
    if (a === b) return 0
    if (a === undefined || b === undefined) return a === undefined ? sign : -sign
    return a < b ? -sign : sign
  })
}

export const bodyOf = (body: unknown): JsonObject => {
  if (isObject(body)) return body
  throw new Refused('invalidSyntax', 'the body is no object of JSON')
}
