import { useQueries, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useState } from 'react'

import { ask, queryOf } from './api.ts'
import { AHEAD_ROWS, KEPT_MS, PAGE_ROWS } from './rows-of.ts'
import type { Listed, Query } from './rows-of.ts'

interface Window<Row> {
  readonly items: readonly Row[]
  /** Of all rows; an answer without it has them all. */
  readonly total?: number
}

/**
 * A list of the API that gives rows by their place (`from`): its length is known at once, so that the
 * scrollbar is true and the last row is as near as the first; pages in sight are here, no others.
 */
export function useWindow<Row>(path: string, query: Query = {}): Listed<Row> {
  const client = useQueryClient()
  const name = `${path}${queryOf(query)}`
  const [told, setTold] = useState({ name, total: -1 })
  const total = told.name === name ? told.total : -1
  const [sight, setSight] = useState({ name, first: 0, last: 0 })
  const { first, last } = sight.name === name ? sight : { first: 0, last: 0 }
  const shown = pagesBetween(first - AHEAD_ROWS, last + AHEAD_ROWS, total)
  const found = useQueries({
    queries: shown.map((page) => ({
      queryKey: [path, query, page],
      gcTime: KEPT_MS,
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        ask<Window<Row>>(
          'GET',
          `${path}${queryOf({ ...query, limit: PAGE_ROWS, from: page * PAGE_ROWS })}`,
          { signal, background: true },
        ),
    })),
  })
  // Others change the list meanwhile: the last answer is right.
  const newest = found.reduce<(typeof found)[number] | undefined>(
    (best, each) =>
      each.data !== undefined && each.dataUpdatedAt >= (best?.dataUpdatedAt ?? 0) ? each : best,
    undefined,
  )
  const now = newest?.data && (newest.data.total ?? newest.data.items.length)
  useEffect(() => {
    if (now !== undefined) setTold({ name, total: now })
  }, [name, now])
  const look = useCallback(
    (from: number, to: number) => setSight({ name, first: from, last: to }),
    [name],
  )
  const pages = new Map(shown.map((page, index) => [page, found[index]?.data]))
  const failed = found.find(({ error }) => error !== null)
  return {
    name,
    count: Math.max(0, total),
    hasMore: false,
    rowAt: (index) => pages.get(Math.floor(index / PAGE_ROWS))?.items[index % PAGE_ROWS],
    look,
    isGone: () => false,
    isLoading: total < 0 && failed === undefined,
    error: failed?.error ?? null,
    unreachable: [],
    retry: () => void client.invalidateQueries({ queryKey: [path] }),
  }
}

/** The pages that these rows lie on; the first where nothing is known yet, and of an empty list. */
function pagesBetween(first: number, last: number, total: number): readonly number[] {
  const end = Math.max(0, Math.floor(Math.min(last, total - 1) / PAGE_ROWS))
  const begin = Math.min(end, Math.max(0, Math.floor(first / PAGE_ROWS)))
  return Array.from({ length: end - begin + 1 }, (_, at) => begin + at)
}
