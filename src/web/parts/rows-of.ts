import { useQueries, useQueryClient } from '@tanstack/react-query'
import type { QueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useState } from 'react'

import type { Places } from '#contract/admin/directory.ts'

import type { Rows } from './data-table.tsx'

import { ask, queryOf } from './api.ts'
import { grown, pagesOf, placeOf, spineOf, wholeSpine } from './spine.ts'
import type { PageEnd, Spine } from './spine.ts'

export type Query = Readonly<Record<string, string | undefined>>

/** A page as the API answers it. */
export interface Page<Row> {
  readonly items: readonly Row[]
  readonly next?: string
  /** Of the queue: gateways whose part is missing. */
  readonly unreachable?: readonly Silent[]
}

interface Silent {
  readonly node: string
  readonly reason: string
}

/** One or several pages of the API as one here; `gone` are keys of rows that were here before. */
interface Sheet<Row> extends Page<Row> {
  readonly gone: readonly string[]
  readonly asked: number
}

/** Rows on one page. */
export const PAGE_ROWS = 100
/** Rows before and after those in sight that are there already. */
export const AHEAD_ROWS = 40
/** Where few match, pages of the API are nearly empty: so many are asked for one of ours. */
const ASKED_MAX = 20
/** A page out of sight is forgotten soon: it is asked again by its cursor. */
export const KEPT_MS = 5_000

/** How a list stands still while what it shows goes on. */
export interface Live<Row> {
  readonly keyOf: (row: Row) => string
  readonly everyMs: number
}

export interface Listed<Row> extends Rows<Row> {
  /** Changes with what is asked for. */
  readonly name: string
  readonly isLoading: boolean
  readonly error: Error | null
  readonly isGone: (row: Row) => boolean
  readonly unreachable: readonly Silent[]
  readonly retry: () => void
}

/**
 * A list of the API of any length as a window over its cursors: pages in sight are here, of all others
 * only the cursor and the length. With `live` the rows in sight are looked at again and stay where
 * they are: what has gone is marked, and what has come is for the page to tell of.
 */
export function useRows<Row>(
  path: string,
  query: Query = {},
  options: {
    readonly live?: Live<Row>
    readonly enabled?: boolean
    /** Where it can be asked how long the list is, and where its pages begin. */
    readonly places?: string | undefined
  } = {},
): Listed<Row> {
  const client = useQueryClient()
  const { live, enabled = true, places } = options
  const name = `${path}${queryOf(query)}`
  const [kept, setKept] = useState<Spine>(() => spineOf(name))
  const spine = kept.name === name ? kept : spineOf(name)
  const [sight, setSight] = useState({ name, first: 0, last: 0 })
  const { first, last } = sight.name === name ? sight : { first: 0, last: 0 }
  const shown = pagesOf(spine, first - AHEAD_ROWS, last + AHEAD_ROWS)
  const found = useQueries({
    queries: shown.map((page) => {
      const queryKey = [path, query, spine.starts[page] ?? '']
      return {
        queryKey,
        enabled,
        gcTime: KEPT_MS,
        queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
          sheetOf<Row>({ client, queryKey, path, query, live, signal }, spine.starts[page]),
        // What many pages of the API were asked for is not asked for again and again.
        refetchInterval: (state: { readonly state: { readonly data?: Sheet<Row> | undefined } }) =>
          live !== undefined && state.state.data?.asked === 1 ? live.everyMs : (false as const),
      }
    }),
  })
  const ends = found.flatMap(({ data }, index): PageEnd[] => {
    const page = shown[index]!
    const start = spine.starts[page]
    return data === undefined ? [] : [{ page, start, length: data.items.length, next: data.next }]
  })
  const told = JSON.stringify(ends)
  useEffect(() => {
    setKept((before) => {
      const from = before.name === name ? before : spineOf(name)
      return grown(from, JSON.parse(told) as readonly PageEnd[])
    })
  }, [name, told])
  const look = useCallback(
    (from: number, to: number) => setSight({ name, first: from, last: to }),
    [name],
  )
  const toEnd = async (): Promise<void> => {
    const { used: _, ...asked } = query
    const path = `${places}${queryOf({ ...asked, limit: PAGE_ROWS })}`
    const { count, items } = await ask<Places>('GET', path)
    const whole = wholeSpine(name, { count, starts: items, pageRows: PAGE_ROWS })
    setKept((before) => (before.name === name ? whole : before))
  }
  const sheets = new Map(shown.map((page, index) => [page, found[index]?.data]))
  const gone = new Set(found.flatMap(({ data }) => data?.gone ?? []))
  const failed = found.find(({ error }) => error !== null)
  return {
    name,
    count: spine.count,
    hasMore: spine.hasMore,
    rowAt: (index) => {
      const [page, place] = placeOf(spine, index)
      return sheets.get(page)?.items[place]
    },
    look,
    ...(places !== undefined && { toEnd }),
    isGone: (row) => live !== undefined && gone.has(live.keyOf(row)),
    isLoading: spine.lengths.length === 0 && failed === undefined,
    error: failed?.error ?? null,
    unreachable: uniqueOf(found.flatMap(({ data }) => data?.unreachable ?? [])),
    retry: () => void client.invalidateQueries({ queryKey: [path] }),
  }
}

const uniqueOf = (silent: readonly Silent[]): readonly Silent[] => [
  ...new Map(silent.map((each) => [each.node, each])).values(),
]

interface Asking<Row> {
  readonly client: QueryClient
  readonly queryKey: readonly unknown[]
  readonly path: string
  readonly query: Query
  readonly live: Live<Row> | undefined
  readonly signal: AbortSignal
}

async function sheetOf<Row>(asking: Asking<Row>, start: string | undefined): Promise<Sheet<Row>> {
  const { client, queryKey, path, query, live, signal } = asking
  const before = client.getQueryData<Sheet<Row>>(queryKey)
  const items: Row[] = []
  const unreachable: Silent[] = []
  let after = start
  let asked = 0
  do {
    const page: Page<Row> = await ask(
      'GET',
      `${path}${queryOf({ ...query, limit: PAGE_ROWS, after })}`,
      {
        signal,
        background: before !== undefined,
      },
    )
    items.push(...page.items)
    unreachable.push(...(page.unreachable ?? []))
    after = page.next
    asked++
  } while (after !== undefined && items.length < PAGE_ROWS / 2 && asked < ASKED_MAX)
  const fresh = { items, unreachable, asked, gone: [], ...(after !== undefined && { next: after }) }
  return live === undefined || before === undefined ? fresh : still(before, fresh, live.keyOf)
}

/** The rows as they stood, each with what is known of it now. */
function still<Row>(
  before: Sheet<Row>,
  fresh: Sheet<Row>,
  keyOf: (row: Row) => string,
): Sheet<Row> {
  const now = new Map(fresh.items.map((row) => [keyOf(row), row]))
  // Beyond the last row that both have nothing is known, unless that was the end of all; and of a queue
  // that does not answer nothing is known at all.
  const known =
    fresh.next === undefined
      ? before.items.length
      : before.items.findLastIndex((row) => now.has(keyOf(row)))
  const gone = new Set(before.gone)
  for (const [index, row] of before.items.entries())
    if (now.has(keyOf(row))) gone.delete(keyOf(row))
    else if (index < known && (fresh.unreachable ?? []).length === 0) gone.add(keyOf(row))
  return {
    ...before,
    items: before.items.map((row) => now.get(keyOf(row)) ?? row),
    gone: [...gone],
    unreachable: fresh.unreachable ?? [],
  }
}

/** A short list that is here as a whole. */
export const listed = <Row>(
  name: string,
  items: readonly Row[],
  found: {
    readonly isPending: boolean
    readonly error: Error | null
    readonly refetch: () => unknown
  },
): Listed<Row> => ({
  name,
  count: items.length,
  hasMore: false,
  rowAt: (index) => items[index],
  isGone: () => false,
  isLoading: found.isPending && found.error === null,
  error: found.error,
  unreachable: [],
  retry: () => void found.refetch(),
})
