import { parseFilter } from '#codec/scim/filter.ts'
import { isObject } from '#codec/scim/json.ts'
import type { JsonObject } from '#codec/scim/json.ts'
import { parseAttributePath } from '#codec/scim/path.ts'
import { Refused } from '#codec/scim/problem.ts'
import { parseSelection } from '#codec/scim/select.ts'
import type { Selection } from '#codec/scim/select.ts'
import type { Finder, Question } from './found.ts'
import { answered, nowOf } from './operate.ts'
import type { Asker } from './operate.ts'
import type { ResourceKind } from './resource-kind.ts'

/** Resources of a page. */
export const COUNT_MAX = 1_000
const COUNT_DEFAULT = 100
/** Members of all groups of a page together. */
const PAGE_VALUES_MAX = 50_000

interface Query extends Question {
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
    filter: parsed?.value,
    sortBy: sorted?.value,
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

/** A page of all that match, of one kind or of several. */
export async function listed(
  asker: Asker,
  kinds: readonly ResourceKind<unknown>[],
  { ask, finder }: { readonly ask: JsonObject; readonly finder: Finder },
): Promise<JsonObject> {
  const { startIndex, count, selection, ...question } = queryOf(ask)
  const now = nowOf(asker)
  const found = await finder.find(now, kinds, question)
  const resources: JsonObject[] = []
  let values = 0
  for (const { kind, id } of found.slice(startIndex - 1, startIndex - 1 + count)) {
    const row = kind.find(now, id)
    if (row === undefined) continue
    const { body } = answered(asker, kind, { row, selection })
    const { members } = body
    values += Array.isArray(members) ? members.length : 0
    if (resources.length > 0 && values > PAGE_VALUES_MAX) break
    resources.push(body)
  }
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: found.length,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  }
}

export const bodyOf = (body: unknown): JsonObject => {
  if (isObject(body)) return body
  throw new Refused('invalidSyntax', 'the body is no object of JSON')
}
