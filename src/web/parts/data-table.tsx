import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useId, useRef, useState } from 'react'
import type { KeyboardEvent, ReactNode } from 'react'

/** One column; `width` is a track of a CSS grid. */
export interface Column<Row> {
  readonly key: string
  readonly label: ReactNode
  readonly width: string
  readonly cell: (row: Row) => ReactNode
  /** Left out on narrow screens. */
  readonly isExtra?: boolean
}

export interface DataTableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  readonly hasMore?: boolean
  readonly loadMore?: () => void
  /** The row whose detail is shown. */
  readonly opened?: string | undefined
  readonly onOpen?: (row: Row) => void
  readonly chosen?: ReadonlySet<string>
  readonly onChoose?: (keys: ReadonlySet<string>) => void
  /** What belongs here, and how to begin. */
  readonly empty: ReactNode
}

const ROW_PX = 34
const AHEAD = 20

/**
 * A table of any length: only the rows in sight are drawn, the next page is asked for when its end
 * comes near. j and k or the arrows move, x chooses, Enter opens.
 */
export function DataTable<Row>(props: DataTableProps<Row>): ReactNode {
  const { columns, rows, keyOf, hasMore, loadMore } = props
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState(0)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasMore === true && last >= rows.length - AHEAD) loadMore?.()
  }, [hasMore, last, rows.length, loadMore])
  const at = Math.min(active, rows.length - 1)
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, to))
    setActive(next)
    virtual.scrollToIndex(next)
  }
  const press = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.nativeEvent.isComposing) return
    const row = rows[at]
    const steps: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }
    const step = steps[event.key]
    if (step !== undefined) move(at + step)
    else if (event.key === 'Home') move(0)
    else if (event.key === 'End') move(rows.length - 1)
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
        aria-rowcount={hasMore === true ? -1 : rows.length + 1}
        aria-multiselectable={props.chosen !== undefined}
        aria-activedescendant={rows.length > 0 ? `${id}-${at}` : undefined}
        tabIndex={0}
        ref={scroller}
        onKeyDown={press}
        style={template}
      >
        <div className="table-row table-head" role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.key} role="columnheader" className={classOf(column)}>
              {column.label}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="table-body" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index]!
            const key = keyOf(row)
            const isChosen = props.chosen?.has(key)
            return (
              <div
                key={key}
                id={`${id}-${item.index}`}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={isChosen ?? key === props.opened}
                className={`table-row${item.index === at ? ' table-active' : ''}`}
                data-opened={key === props.opened}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={() => {
                  setActive(item.index)
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
        {rows.length === 0 && (
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
