import { useCallback, useEffect, useLayoutEffect, useState } from 'react'
import type { RefObject } from 'react'

export const ROW_PX = 34
/** Rows drawn before and after those in sight. */
const BEYOND = 10

export interface InSight {
  /** The rows to draw; `last` is before `first` where there are none. */
  readonly first: number
  readonly last: number
  /** Brings a row into sight. */
  readonly show: (index: number) => void
  /** So many rows are a page up or down. */
  readonly pageRows: () => number
}

/**
 * Which rows of a scroller with a head of one row's height are in sight, by arithmetic alone: what
 * keeps a place for each row costs more the longer the list, with each page that comes.
 */
export function useRowsInSight(scroller: RefObject<HTMLElement | null>, count: number): InSight {
  // In rows, not pixels: within a row nothing has to be drawn anew.
  const [sight, setSight] = useState({ first: 0, last: 0 })
  const look = useCallback((): void => {
    const box = scroller.current
    if (box === null) return
    const first = Math.floor(box.scrollTop / ROW_PX)
    const last = Math.ceil((box.scrollTop + box.clientHeight) / ROW_PX)
    setSight((before) =>
      before.first === first && before.last === last ? before : { first, last },
    )
  }, [scroller])
  useLayoutEffect(look)
  useEffect(() => {
    const box = scroller.current
    if (box === null) return undefined
    const observer = new ResizeObserver(look)
    observer.observe(box)
    box.addEventListener('scroll', look, { passive: true })
    return () => {
      observer.disconnect()
      box.removeEventListener('scroll', look)
    }
  }, [scroller, look])
  const show = (index: number): void => {
    const box = scroller.current
    if (box === null) return
    const top = index * ROW_PX
    const bottom = top + 2 * ROW_PX - box.clientHeight
    if (top < box.scrollTop) box.scrollTop = top
    else if (bottom > box.scrollTop) box.scrollTop = bottom
  }
  // Below the head; one row of the page before stays in sight.
  const pageRows = (): number =>
    Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_PX) - 2)
  return {
    first: Math.max(0, Math.min(sight.first, count) - BEYOND),
    last: Math.min(count - 1, sight.last + BEYOND),
    show,
    pageRows,
  }
}
