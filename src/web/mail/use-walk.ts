import { useEffect, useRef } from 'react'

import type { Listing } from './listing.ts'

/** The way through a list by keys: from one email to the next, by pages, and to both ends. */
export interface Walk {
  readonly keys: Readonly<Record<string, () => void>>
  /** The list tells what is in sight, and how it is brought there. */
  readonly sight: React.RefObject<Sight | undefined>
}

export interface Sight {
  /** The first and last row that can be seen whole. */
  readonly first: number
  readonly last: number
  readonly show: (index: number) => void
}

export function useWalk(way: {
  readonly listing: Listing
  readonly current: string | undefined
  readonly turnTo: (id: string) => void
}): Walk {
  const { listing, current } = way
  const sight = useRef<Sight>(undefined)
  /** Where a key has led, and what stands there is not known yet. */
  const awaited = useRef<number>(undefined)
  useEffect(() => {
    const id = awaited.current === undefined ? undefined : listing.idAt(awaited.current)
    if (id === undefined) return
    awaited.current = undefined
    way.turnTo(id)
  })
  const goTo = (index: number): void => {
    const to = Math.max(0, Math.min(listing.length - 1, index))
    const id = listing.idAt(to)
    awaited.current = id === undefined ? to : undefined
    sight.current?.show(to)
    if (id !== undefined) way.turnTo(id)
  }
  /** Without a place yet one begins with what is in sight. */
  const step = (by: number): void => {
    const from = awaited.current ?? (current === undefined ? -1 : listing.indexOf(current))
    if (from >= 0) goTo(from + by)
    else goTo(by > 0 ? (sight.current?.first ?? 0) : (sight.current?.last ?? 0))
  }
  const page = (): number => {
    const { first = 0, last = 0 } = sight.current ?? {}
    return Math.max(1, last - first)
  }
  return {
    sight,
    keys: {
      j: () => step(1),
      k: () => step(-1),
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      PageDown: () => step(page()),
      PageUp: () => step(-page()),
      Home: () => goTo(0),
      End: () => goTo(listing.length - 1),
    },
  }
}
