import { Button } from '@mantine/core'
import { useRef, useState } from 'react'
import type { ReactNode } from 'react'

import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'
import { numberText } from '#web/parts/times.ts'

import { csvColumns, csvOf, saveFile } from '#web/parts/csv.ts'
import type { Query } from '#web/parts/rows-of.ts'

/** Which columns of a table are shown; kept in this browser. */
export function useColumns<Row>(
  table: string,
  all: readonly Column<Row>[],
): {
  readonly shown: readonly Column<Row>[]
  readonly hidden: ReadonlySet<string>
  readonly toggle: (key: string) => void
} {
  const stored = `watari.columns.${table}`
  const [hidden, setHidden] = useState<ReadonlySet<string>>(() => {
    const kept = localStorage.getItem(stored)
    return new Set(
      kept === null
        ? all.filter(({ isSeldom }) => isSeldom === true).map(({ key }) => key)
        : kept.split(' ').filter(Boolean),
    )
  })
  const toggle = (key: string): void => {
    const next = hidden.symmetricDifference(new Set([key]))
    localStorage.setItem(stored, [...next].join(' '))
    setHidden(next)
  }
  return { shown: all.filter(({ key }) => !hidden.has(key)), hidden, toggle }
}

/** Choice of columns, and the whole table as a file. */
export function TableTools<Row>(props: {
  /** Names the file. */
  readonly table: string
  readonly all: readonly Column<Row>[]
  readonly columns: ReturnType<typeof useColumns<Row>>
  readonly path: string
  readonly query?: Query
}): ReactNode {
  const { t } = useWords()
  const { all, columns } = props
  const choices = all.filter(
    ({ key, label, name }) => key !== 'choose' && (name ?? typeof label) !== 'object',
  )
  return (
    <div className="tools">
      <details
        className="menu"
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.removeAttribute('open')}
      >
        <summary>{t('table.columns')}</summary>
        <div className="menu-sheet">
          {choices.map(({ key, label, name }) => (
            <label key={key}>
              <input
                type="checkbox"
                checked={!columns.hidden.has(key)}
                // A table shows one column at least.
                disabled={columns.shown.length === 1 && !columns.hidden.has(key)}
                onChange={() => columns.toggle(key)}
              />
              {name ?? label}
            </label>
          ))}
        </div>
      </details>
      <Download {...props} />
    </div>
  )
}

function Download<Row>(props: {
  readonly table: string
  readonly columns: ReturnType<typeof useColumns<Row>>
  readonly path: string
  readonly query?: Query
}): ReactNode {
  const { t, language } = useWords()
  const tell = useNotices()
  const [rows, setRows] = useState<number>()
  const ending = useRef<AbortController>(undefined)
  const begin = async (): Promise<void> => {
    const { signal } = (ending.current = new AbortController())
    setRows(0)
    try {
      const blob = await csvOf<Row>({
        path: props.path,
        query: props.query ?? {},
        columns: csvColumns(props.columns.shown),
        signal,
        onRows: setRows,
      })
      saveFile(`watari-${props.table}.csv`, blob)
    } catch (thrown) {
      if (!signal.aborted)
        tell({
          kind: 'failed',
          text:
            thrown instanceof Error && thrown.message !== '' ? thrown.message : t('trouble.away'),
        })
    }
    setRows(undefined)
  }
  return rows === undefined ? (
    <Button variant="default" size="compact-sm" onClick={() => void begin()}>
      {t('table.csv')}
    </Button>
  ) : (
    <Button variant="default" size="compact-sm" onClick={() => ending.current?.abort()}>
      {t('table.stop', { rows: numberText(language, rows) })}
    </Button>
  )
}
