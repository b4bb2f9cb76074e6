import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useCallback } from 'react'

import { ask, queryOf } from './api.ts'

interface Page<Row> {
  readonly items: readonly Row[]
  readonly next?: string
  /** Of the queue: nodes whose part is missing. */
  readonly unreachable?: readonly { readonly node: string; readonly reason: string }[]
}

const PAGE_ROWS = 200

/** A list of the API of any length, by its cursors: `loadMore` asks for the page after those that are here. */
export function usePages<Row>(
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
  refetchMs?: number,
) {
  const found = useInfiniteQuery({
    queryKey: [path, query],
    queryFn: ({ pageParam, signal }) =>
      ask<Page<Row>>('GET', `${path}${queryOf({ ...query, limit: PAGE_ROWS, after: pageParam })}`, {
        signal,
        background: refetchMs !== undefined,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    // Only while the first page is all there is: what one reads further down does not move.
    refetchInterval: (state) =>
      refetchMs !== undefined && (state.state.data?.pages.length ?? 0) <= 1 ? refetchMs : false,
  })
  const { fetchNextPage, isFetchingNextPage } = found
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage()
  }, [fetchNextPage, isFetchingNextPage])
  return {
    pages: found.data?.pages ?? [],
    rows: found.data?.pages.flatMap(({ items }) => items) ?? [],
    hasMore: found.hasNextPage,
    isLoading: found.isLoading,
    error: found.error,
    refetch: () => void found.refetch(),
    loadMore,
  }
}
