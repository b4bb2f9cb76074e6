import type { Filter } from '#codec/scim/filter.ts'
import { matcherOf } from '#codec/scim/match.ts'
import type { AttributePath } from '#codec/scim/path.ts'
import { Refused } from '#codec/scim/problem.ts'
import { sortKeyOf } from '#codec/scim/select.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { ResourceKind } from './resource-kind.ts'

/** Resources that match, by name alone: a page shows those that are on it. */
export interface Found {
  readonly kind: ResourceKind<unknown>
  readonly id: string
}

export interface Question {
  readonly filter: Filter | undefined
  readonly sortBy: AttributePath | undefined
  readonly isDescending: boolean
}

/** More are not sorted: the order would cost more than the page. */
const SORTED_MAX = 50_000
/** Looked at in one go: a millisecond or two, while everybody else of this process waits. */
const LOOKED_AT_ONCE = 200
/** Questions whose answers are kept: a client asks page after page. */
const KEPT_MAX = 4

/** Finds what matches; asked the same again while nothing has changed, it knows. */
export class Finder {
  readonly #kept = new Map<string, { readonly seq: number; readonly found: readonly Found[] }>()

  async find(
    now: Directory,
    kinds: readonly ResourceKind<unknown>[],
    question: Question,
  ): Promise<readonly Found[]> {
    const { seq } = now
    const asked = JSON.stringify([kinds.map(({ name }) => name), question])
    const known = this.#kept.get(asked)
    if (known?.seq === seq) return known.found
    const matches: Match[] = []
    let isFew = true
    for (const kind of kinds)
      if (!(await search(now, kind, { ...question, matches }))) isFew = false
    if (question.sortBy !== undefined) inOrder(matches, question.isDescending)
    // Of those who write meanwhile some were seen and some were not: that answer is for now only.
    if (isFew || now.seq !== seq) return matches
    this.#kept.delete(asked)
    this.#kept.set(asked, { seq, found: matches })
    for (const [oldest] of this.#kept) if (this.#kept.size > KEPT_MAX) this.#kept.delete(oldest)
    return matches
  }
}

interface Match extends Found {
  readonly key?: string | number | boolean
}

/** Whether an index told all of them. */
async function search(
  now: Directory,
  kind: ResourceKind<unknown>,
  { filter: asked, sortBy, matches }: Question & { readonly matches: Match[] },
): Promise<boolean> {
  const filter = asked && (kind.asShown?.(now, asked) ?? asked)
  const isMatch = filter && matcherOf(filter, kind.schema)
  const keyOf = sortBy && sortKeyOf(kind.schema, sortBy)
  const named = JSON.stringify([filter, sortBy]).toLowerCase()
  const isNamed = (name: string): boolean =>
    named.includes(name) || (name === 'members' && named.includes('outsidemembers'))
  const view = { now, base: '', wants: isNamed }
  const few = filter && kind.few(now, filter)
  let looked = 0
  for (const row of few ?? kind.all(now)) {
    // Whoever else waits for this process comes in between.
    if (++looked % LOOKED_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
    const shown = isMatch || keyOf ? kind.show(row, view) : undefined
    if (shown !== undefined && isMatch?.(shown) === false) continue
    const key = shown && keyOf?.(shown)
    matches.push({ kind, id: kind.idOf(row), ...(key !== undefined && { key }) })
    if (keyOf !== undefined && matches.length > SORTED_MAX)
      throw new Refused('tooMany', `more than ${SORTED_MAX} match: sort fewer, by a filter`)
  }
  return few !== undefined
}

/** What has no value comes last, and first where the order is turned round (RFC 7644 §3.4.2.3). */
function inOrder(matches: Match[], isDescending: boolean): void {
  const sign = isDescending ? -1 : 1
  matches.sort(({ key: a }, { key: b }) => {
    if (a === b) return 0
    if (a === undefined || b === undefined) return a === undefined ? sign : -sign
    return a < b ? -sign : sign
  })
}
