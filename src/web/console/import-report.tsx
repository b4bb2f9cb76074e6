import { Button } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { CensusBody, ImportedRow } from '#contract/admin/import.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { DataTable } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import type { MarkKind } from '#web/parts/mark.tsx'

import { csvLine } from '#web/parts/csv-line.ts'
import { saveFile } from '#web/parts/csv.ts'

interface Told {
  readonly key: string
  readonly source: string
  readonly address: string
  readonly outcome: ImportedRow['outcome'] | 'unread'
  readonly changes: readonly string[]
  readonly notes: readonly string[]
}

const KINDS: Readonly<Record<Told['outcome'], MarkKind>> = {
  added: 'good',
  changed: 'plain',
  same: 'plain',
  refused: 'bad',
  unread: 'warn',
}
const CHOICES = ['all', 'noted', 'added', 'changed', 'same', 'refused'] as const
type Choice = (typeof CHOICES)[number]

/** What becomes of each person and group of a file; what is not taken comes first. */
export function ImportReport(props: {
  readonly rows: readonly ImportedRow[]
  readonly exceptions: CensusBody['exceptions']
}): ReactNode {
  const { t } = useWords()
  const told = toldOf(props)
  const [choice, setChoice] = useState<Choice>('all')
  const shown = told.filter((row) => fits(row, choice))
  const columns = useReportColumns()
  const save = (): void => {
    const lines = shown.map(({ source, address, outcome, changes, notes }) =>
      csvLine([source, address, outcome, changes.join(' '), notes.join('; ')]),
    )
    const head = csvLine([
      t('import.where'),
      t('people.address'),
      t('import.outcome'),
      t('import.changes'),
      t('import.notes'),
    ])
    saveFile('watari-import.csv', new Blob(['\uFEFF', head, ...lines], { type: 'text/csv' }))
  }
  return (
    <>
      <div className="filters">
        <select
          aria-label={t('import.show')}
          value={choice}
          onChange={(event) => setChoice(event.currentTarget.value as Choice)}
        >
          {CHOICES.map((each) => (
            <option key={each} value={each}>
              {t(`import.show_${each}`, { count: told.filter((row) => fits(row, each)).length })}
            </option>
          ))}
        </select>
        <div className="tools">
          <Button variant="default" size="compact-sm" onClick={save}>
            {t('table.csv')}
          </Button>
        </div>
      </div>
      <div className="split">
        <DataTable
          label={t('import.report')}
          columns={columns}
          rows={{ count: shown.length, rowAt: (index) => shown[index], hasMore: false }}
          keyOf={({ key }) => key}
          empty={t('people.none')}
        />
      </div>
    </>
  )
}

function toldOf(props: {
  readonly rows: readonly ImportedRow[]
  readonly exceptions: CensusBody['exceptions']
}): readonly Told[] {
  const unread = props.exceptions.map(({ source, text }, index): Told => ({
    key: `unread ${index}`,
    source,
    address: '',
    outcome: 'unread',
    changes: [],
    notes: [text],
  }))
  const rows = props.rows.map((row, index): Told => ({ key: `row ${index}`, ...row }))
  const isWrong = ({ outcome, notes }: Told): boolean => outcome === 'refused' || notes.length > 0
  return [...unread, ...rows.filter(isWrong), ...rows.filter((row) => !isWrong(row))]
}

function fits({ outcome, notes }: Told, choice: Choice): boolean {
  if (choice === 'all') return true
  return choice === 'noted' ? notes.length > 0 : outcome === choice
}

function useReportColumns(): readonly Column<Told>[] {
  const { t } = useWords()
  return [
    {
      key: 'source',
      label: t('import.where'),
      width: 'minmax(56px, 0.7fr)',
      cell: ({ source }) => {
        const place = source.replace(/\bline (\d+)$/, (_, number) => t('import.line', { number }))
        return <span title={place}>{place}</span>
      },
    },
    {
      key: 'address',
      label: t('people.address'),
      width: 'minmax(80px, 1.2fr)',
      cell: ({ address }) => address,
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
      width: 'minmax(80px, 1fr)',
      isExtra: true,
      cell: ({ changes }) =>
        changes.map((each) => t(`import.of.${each}`, { defaultValue: each })).join(', '),
    },
    {
      key: 'notes',
      label: t('import.notes'),
      width: 'minmax(60px, 2fr)',
      cell: ({ notes }) => (
        <span lang="en" title={notes.join('\n')}>
          {notes.join('; ')}
        </span>
      ),
    },
  ]
}
