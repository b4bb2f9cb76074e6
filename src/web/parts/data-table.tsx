import { useEffect, useId, useRef, useState } from 'react'
import type { KeyboardEvent, ReactNode } from 'react'

import { ROW_PX, useRowsInSight } from './rows-in-sight.ts'

/** One column; `width` is a track of a CSS grid. */
export interface Column<Row> {
  readonly key: string
  readonly label: ReactNode
  readonly width: string
  readonly cell: (row: Row) => ReactNode
  /** Left out on narrow screens. */
  readonly isExtra?: boolean
  /** Left out until somebody chooses it. */
  readonly isSeldom?: boolean
  /** As plain text, for a file of the table. */
  readonly text?: (row: Row) => string
  /** What it is called where its label is no text. */
  readonly name?: string
}

/** Rows that are there, or come when they are looked at. */
export interface Rows<Row> {
  /** As far as is known. */
  readonly count: number
  /** Undefined: not here yet. */
  readonly rowAt: (index: number) => Row | undefined
  readonly hasMore: boolean
  /** Told which rows are in sight. */
  readonly look?: (first: number, last: number) => void
  /** Learns how long the list is; absent: only page by page. */
  readonly toEnd?: () => Promise<void>
}

export interface DataTableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: Rows<Row>
  readonly keyOf: (row: Row) => string
  /** True of a row that is no more what the list names. */
  readonly isGone?: (row: Row) => boolean
  /** The row whose detail is shown. */
  readonly opened?: string | undefined
  readonly onOpen?: (row: Row) => void
  readonly chosen?: ReadonlySet<string>
  readonly onChoose?: (keys: ReadonlySet<string>) => void
  /** What belongs here, and how to begin. */
  readonly empty: ReactNode
}

/**
 * A table of any length: only the rows in sight are drawn, and asked for when they come near. j and k, the arrows, Page, Home and End move, x chooses, Enter opens.
 */
export function DataTable<Row>(props: DataTableProps<Row>): ReactNode {
  const { columns, rows, keyOf } = props
  const { count, rowAt, look } = rows
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState(0)
  const { first, last, show, pageRows } = useRowsInSight(scroller, count)
  const drawn = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at)
  const seen = new Set<string>()
  useEffect(() => look?.(first, Math.max(first, last)), [look, first, last])
  const at = Math.min(active, count - 1)
  /** The end was asked for, and is not known yet: each page that comes leads further to it. */
  const toEnd = useRef(false)
  useEffect(() => {
    if (!toEnd.current) return
    toEnd.current = rows.hasMore
    setActive(count - 1)
    show(count - 1)
  }, [count, rows.hasMore, show])
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(count - 1, to))
    setActive(next)
    show(next)
  }
  const end = (): void => {
    // Where the list tells how long it is, nobody waits for the pages between.
    if (rows.hasMore) rows.toEnd?.().catch(() => undefined)
    move(count - 1)
  }
  const press = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.nativeEvent.isComposing) return
    const row = rowAt(at)
    const steps: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }
    const step = steps[event.key]
    toEnd.current = event.key === 'End' && rows.hasMore
    if (step !== undefined) move(at + step)
    else if (event.key === 'PageDown') move(at + pageRows())
    else if (event.key === 'PageUp') move(at - pageRows())
    else if (event.key === 'Home') move(0)
    else if (event.key === 'End') end()
    else if (event.key === 'Enter' && row !== undefined) props.onOpen?.(row)
    else if ((event.key === 'x' || event.key === ' ') && row !== undefined) toggle(keyOf(row))
    else return
    event.preventDefault()
  }
  const toggle = (key: string): void => {
    if (props.chosen === undefined) return
    props.onChoose?.(props.chosen.symmetricDifference(new Set([key])))
  }
  const tracks = (some: readonly Column<Row>[]): string => some.map(({ width }) => width).join(' ')
  const template = {
    '--columns': tracks(columns),
    '--columns-narrow': tracks(columns.filter(({ isExtra }) => isExtra !== true)),
  } as object
  return (
    <div className="table-box">
      <div
        className="table"
        role="grid"
        aria-label={props.label}
        aria-rowcount={rows.hasMore ? -1 : count + 1}
        aria-multiselectable={props.chosen !== undefined}
        aria-activedescendant={count > 0 ? `${id}-${at}` : undefined}
        tabIndex={0}
        ref={scroller}
        onKeyDown={press}
        onPointerDown={() => (toEnd.current = false)}
        onWheel={() => (toEnd.current = false)}
        style={template}
      >
        <div className="table-row table-head" role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.key} role="columnheader" className={classOf(column)}>
              {column.label}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="table-body" style={{ height: count * ROW_PX }}>
          {drawn.map((index) => {
            const row = rowAt(index)
            const style = { transform: `translateY(${index * ROW_PX}px)` }
            if (row === undefined)
              return (
                <div
                  key={index}
                  id={`${id}-${index}`}
                  role="row"
                  aria-rowindex={index + 2}
                  aria-busy
                  className="table-row table-coming"
                  style={style}
                >
                  <div role="gridcell">…</div>
                </div>
              )
            const key = keyOf(row)
            // Pages of two moments may both hold a row: it is drawn twice, not lost.
            const isTwice = seen.has(key)
            seen.add(key)
            const isChosen = props.chosen?.has(key)
            const isGone = props.isGone?.(row) === true
            return (
              <div
                key={isTwice ? `${index} ${key}` : key}
                id={`${id}-${index}`}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={isChosen ?? key === props.opened}
                className={`table-row${index === at ? ' table-active' : ''}${isGone ? ' table-gone' : ''}`}
                data-opened={key === props.opened}
                style={style}
                onClick={() => {
                  setActive(index)
                  props.onOpen?.(row)
                }}
              >
                {columns.map((column) => (
                  <div key={column.key} role="gridcell" className={classOf(column)}>
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            )
          })}
        </div>
        {count === 0 && !rows.hasMore && (
          <div role="row" className="table-empty">
            <div role="gridcell">{props.empty}</div>
          </div>
        )}
      </div>
    </div>
  )
}

const classOf = (column: { readonly isExtra?: boolean }): string | undefined =>
  column.isExtra === true ? 'table-extra' : undefined
