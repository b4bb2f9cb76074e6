import { Skeleton } from '@mantine/core'
import type { ReactNode } from 'react'

import { DataTable } from './data-table.tsx'
import type { DataTableProps } from './data-table.tsx'
import { useWords } from './language.ts'
import { numberText } from './times.ts'

import type { Listed } from './rows-of.ts'
import { ROWS_MAX } from './spine.ts'
import { Trouble } from './trouble.tsx'

/** A table of a list of the API with its detail beside it, or why it cannot be shown. */
export function PageTable<Row>(
  props: Omit<DataTableProps<Row>, 'rows' | 'isGone'> & {
    readonly list: Listed<Row>
    readonly detail?: ReactNode
  },
): ReactNode {
  const { t, language } = useWords()
  const { list, detail, ...table } = props
  const isOpen = detail !== undefined && detail !== null && detail !== false
  return (
    <>
      {list.error !== null && <Trouble error={list.error} retry={list.retry} />}
      {list.isLoading && !isOpen ? (
        <Skeleton height={200} />
      ) : (
        <div className={isOpen ? 'split split-open' : 'split'}>
          {(list.error === null || list.count > 0) && (
            <DataTable key={list.name} {...table} rows={list} isGone={list.isGone} />
          )}
          {detail}
        </div>
      )}
      {list.count >= ROWS_MAX && (
        <p className="faint">{t('table.cut', { rows: numberText(language, list.count) })}</p>
      )}
    </>
  )
}
