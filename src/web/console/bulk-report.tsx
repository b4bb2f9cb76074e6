import type { ReactNode } from 'react'

import { DataTable } from '#web/parts/data-table.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import type { MarkKind } from '#web/parts/mark.tsx'

import type { BulkRow } from './bulk-change.ts'
import { reasonOf } from './reason.ts'

const KINDS: Readonly<Record<BulkRow['outcome'], MarkKind>> = {
  changed: 'good',
  same: 'plain',
  refused: 'bad',
}
const ORDER: readonly BulkRow['outcome'][] = ['refused', 'changed', 'same']

/** What becomes of each of many; who is refused comes first. */
export function BulkReport({ rows }: { readonly rows: readonly BulkRow[] }): ReactNode {
  const { t } = useWords()
  const sorted = rows.toSorted((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome))
  const columns: readonly Column<BulkRow>[] = [
    {
      key: 'address',
      label: t('people.address'),
      width: 'minmax(90px, 1.4fr)',
      cell: ({ person }) => person.address,
    },
    {
      key: 'name',
      label: t('people.name'),
      width: 'minmax(70px, 1fr)',
      isExtra: true,
      cell: ({ person }) => person.name,
    },
    {
      key: 'outcome',
      label: t('import.outcome'),
      width: '92px',
      cell: ({ outcome }) => <Mark kind={KINDS[outcome]}>{t(`import.${outcome}`)}</Mark>,
    },
    {
      key: 'changes',
      label: t('import.changes'),
      width: 'minmax(70px, 1.2fr)',
      cell: ({ change, reason }) => {
        const text =
          reason === undefined
            ? Object.keys(change)
                .map((each) => t(`bulk.of.${each}`))
                .join(', ')
            : (reasonOf(t, reason) ?? t('trouble.away'))
        return <span title={text}>{text}</span>
      },
    },
  ]
  return (
    <div className="report">
      <DataTable
        label={t('import.report')}
        columns={columns}
        rows={{ count: sorted.length, rowAt: (index) => sorted[index], hasMore: false }}
        keyOf={({ person }) => person.id}
        empty={t('people.none')}
      />
    </div>
  )
}
