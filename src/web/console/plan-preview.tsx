import type { ReactNode } from 'react'

import type { BulkDone, PlanBody } from '#contract/admin/bulk.ts'
import { DataTable } from '#web/parts/data-table.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { numberText } from '#web/parts/times.ts'

type Row = BulkDone['rows'][number]
const KINDS = { changed: 'good', same: 'plain', refused: 'bad' } as const

/** Whom a plan would change now, and who would be refused. */
export function PlanPreview({ done }: { readonly done: Omit<BulkDone, 'pending'> }): ReactNode {
  const { t, language } = useWords()
  const columns: readonly Column<Row>[] = [
    {
      key: 'address',
      label: t('people.address'),
      width: 'minmax(90px, 1.4fr)',
      cell: ({ address }) => address,
    },
    {
      key: 'outcome',
      label: t('import.outcome'),
      width: '92px',
      cell: ({ outcome }) => <Mark kind={KINDS[outcome]}>{t(`import.${outcome}`)}</Mark>,
    },
    {
      key: 'note',
      label: t('import.notes'),
      width: 'minmax(60px, 1fr)',
      cell: ({ note }) => <span lang="en">{note}</span>,
    },
  ]
  return (
    <>
      <p role="status">
        {t('bulk.would', {
          changed: numberText(language, done.changed),
          same: numberText(language, done.same),
          refused: numberText(language, done.refused),
        })}
      </p>
      <div className="report">
        <DataTable
          label={t('plan.now')}
          columns={columns}
          rows={{ count: done.rows.length, rowAt: (at) => done.rows[at], hasMore: false }}
          keyOf={({ address }) => address}
          empty={t('people.none')}
        />
      </div>
    </>
  )
}

/** What a change of many says, in a line. */
export function useChangeText(): (change: PlanBody['change']) => string {
  const { t, language } = useWords()
  const list = new Intl.ListFormat(language, { type: 'unit', style: 'short' })
  return (change) => {
    const { addTags = [], removeTags = [], startsOn, expiresOn, disabled } = change
    return list.format([
      ...(addTags.length > 0 ? [t('plan.addTags', { tags: addTags.join(', ') })] : []),
      ...(removeTags.length > 0 ? [t('plan.removeTags', { tags: removeTags.join(', ') })] : []),
      ...(startsOn === undefined ? [] : [t('plan.startsOn', { day: startsOn ?? '–' })]),
      ...(expiresOn === undefined ? [] : [t('plan.expiresOn', { day: expiresOn ?? '–' })]),
      ...(disabled === undefined ? [] : [t(disabled ? 'plan.disable' : 'plan.enable')]),
      ...(change.delete === true ? [t('plan.delete')] : []),
    ])
  }
}
