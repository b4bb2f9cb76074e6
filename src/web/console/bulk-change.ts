import type { UserBody } from '#contract/admin/directory.ts'

import { ApiFailure, ask, part, queryOf } from '#web/parts/api.ts'
import { partsOf } from './person-facts.ts'
import type { Page, Query } from '#web/parts/rows-of.ts'

/** A change of many as it stands in a form; what is empty stays as it is. */
export interface BulkTexts {
  readonly act: '' | 'disable' | 'enable'
  readonly addTags: string
  readonly removeTags: string
  readonly startsOn: string
  readonly expiresOn: string
}

export const noChange: BulkTexts = {
  act: '',
  addTags: '',
  removeTags: '',
  startsOn: '',
  expiresOn: '',
}

/** What a change of many looks at. */
export type BulkPerson = Pick<
  UserBody,
  'id' | 'address' | 'name' | 'disabled' | 'tags' | 'startsOn' | 'expiresOn' | 'version'
>

/** null: a day that is taken away. */
type Change = Partial<{
  [Name in 'disabled' | 'tags' | 'startsOn' | 'expiresOn']: UserBody[Name] | null
}>

/** What becomes of one of many. */
export interface BulkRow {
  readonly person: BulkPerson
  readonly outcome: 'changed' | 'same' | 'refused'
  readonly change: Change
  /** Why it was refused. */
  readonly reason?: unknown
  /** What puts it back, onto the row as it is since. */
  readonly undo?: { readonly version: string; readonly change: Change }
}

/** Rows asked for at once. */
const PAGE_ROWS = 2_000
/** So few are asked for one by one. */
const FEW = 50
/** Writes under way at once: each waits for the nodes' word that they have it. */
const TOGETHER = 8

/** Everybody who was chosen, as they are now. */
export async function peopleOf(
  chosen: ReadonlySet<string>,
  query: Query,
  signal: AbortSignal,
): Promise<readonly BulkPerson[]> {
  const found = new Map<string, BulkPerson>()
  let after: string | undefined
  if (chosen.size > FEW)
    do {
      const page: Page<UserBody> = await ask(
        'GET',
        `/users${queryOf({ ...query, limit: PAGE_ROWS, after })}`,
        { signal },
      )
      for (const person of page.items) if (chosen.has(person.id)) found.set(person.id, slim(person))
      after = page.next
    } while (after !== undefined && found.size < chosen.size)
  // Chosen by another search.
  await together([...chosen.difference(found)], async (id) => {
    const person = await ask<UserBody>('GET', `/users/${part(id)}`, { signal }).catch(gone)
    if (person !== undefined) found.set(id, slim(person))
  })
  return [...found.values()]
}

/** What would become of each. */
export const previewOf = (people: readonly BulkPerson[], texts: BulkTexts): readonly BulkRow[] =>
  people.map((person) => {
    const change = changeOf(person, texts)
    return { person, change, outcome: Object.keys(change).length > 0 ? 'changed' : 'same' }
  })

/** Makes each change, onto the row that was seen; who changed meanwhile is refused. */
export async function changeAll(
  preview: readonly BulkRow[],
  onRows: (done: number) => void,
): Promise<readonly BulkRow[]> {
  const rows = [...preview]
  let done = 0
  await together([...rows.keys()], async (at) => {
    const row = rows[at]!
    if (row.outcome === 'changed')
      try {
        const { id, version } = row.person
        const body = row.change
        const now = await ask<UserBody>('PATCH', `/users/${part(id)}`, { body, ifMatch: version })
        rows[at] = { ...row, undo: { version: now.version, change: backOf(row) } }
      } catch (reason) {
        rows[at] = { ...row, outcome: 'refused', reason }
      }
    onRows(++done)
  })
  return rows
}

/** What puts back those that were changed; who has changed since is refused. */
export const undoOf = (rows: readonly BulkRow[]): readonly BulkRow[] =>
  rows.flatMap(({ person, undo }) =>
    undo === undefined
      ? []
      : [{ person: { ...person, version: undo.version }, change: undo.change, outcome: 'changed' }],
  )

function backOf({ person, change }: BulkRow): Change {
  const { disabled, tags = [], startsOn = null, expiresOn = null } = person
  const before: Change = { disabled, tags, startsOn, expiresOn }
  const names = Object.keys(change) as (keyof Change)[]
  return Object.fromEntries(names.map((name) => [name, before[name]]))
}

/** How many rows have each outcome. */
export function bulkCounts(rows: readonly BulkRow[]): Readonly<Record<BulkRow['outcome'], number>> {
  const counts = { changed: 0, same: 0, refused: 0 }
  for (const { outcome } of rows) counts[outcome]++
  return counts
}

function changeOf(person: BulkPerson, texts: BulkTexts): Change {
  const { act, startsOn, expiresOn } = texts
  const disabled = act === '' ? person.disabled : act === 'disable'
  const before = person.tags ?? []
  const [add, remove] = [partsOf(texts.addTags), partsOf(texts.removeTags)]
  const tags = [...new Set([...before.filter((tag) => !remove.includes(tag)), ...add])]
  const isOther = tags.length !== before.length || tags.some((tag) => !before.includes(tag))
  return {
    ...(disabled !== person.disabled && { disabled }),
    ...(isOther && { tags }),
    ...(startsOn !== '' && startsOn !== person.startsOn && { startsOn }),
    ...(expiresOn !== '' && expiresOn !== person.expiresOn && { expiresOn }),
  }
}

function slim(person: UserBody): BulkPerson {
  const { id, address, name, disabled, tags, startsOn, expiresOn, version } = person
  return {
    id,
    address,
    disabled,
    version,
    ...(name !== undefined && { name }),
    ...(tags !== undefined && { tags }),
    ...(startsOn !== undefined && { startsOn }),
    ...(expiresOn !== undefined && { expiresOn }),
  }
}

/** Whoever is no more is not meant. */
function gone(thrown: unknown): undefined {
  if (thrown instanceof ApiFailure && thrown.status === 404) return undefined
  throw thrown
}

async function together<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  const run = async (): Promise<void> => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: TOGETHER }, run))
}
