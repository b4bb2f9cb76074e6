import { useMemo } from 'react'
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
  const sorted = useMemo(
    () => ORDER.flatMap((each) => rows.filter(({ outcome }) => outcome === each)),
    [rows],
  )
  const columns: readonly Column<BulkRow>[] = [
    {
      key: 'address',
      label: t('people.address'),
      width: 'minmax(90px, 1.4fr)',
      cell: ({ address }) => address,
    },
    {
      key: 'name',
      label: t('people.name'),
      width: 'minmax(70px, 1fr)',
      isExtra: true,
      cell: ({ name }) => name,
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
      cell: (row) => <Why row={row} />,
    },
  ]
  return (
    <div className="report">
      <DataTable
        label={t('import.report')}
        columns={columns}
        rows={{ count: sorted.length, rowAt: (index) => sorted[index], hasMore: false }}
        keyOf={({ id, address }) => id ?? address}
        empty={t('people.none')}
      />
    </div>
  )
}

/** What changes of somebody, or why nothing does: in the page's language where it has words for it. */
function Why({ row }: { readonly row: BulkRow }): ReactNode {
  const { t } = useWords()
  const { reason, note, code, changes } = row
  const ours = code === undefined ? '' : t(`bulk.not.${code}`, { defaultValue: '' })
  const text =
    reason !== undefined
      ? (reasonOf(t, reason) ?? t('trouble.away'))
      : note === undefined
        ? changes.map((each) => t(`bulk.of.${each}`)).join(', ')
        : ours
  return text === '' ? (
    <span lang="en" title={note}>
      {note}
    </span>
  ) : (
    <span title={text}>{text}</span>
  )
}
