import type { ReactNode } from 'react'

import type { GenerationBody } from '#contract/admin/settings.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { dateText } from '#web/parts/times.ts'

import { GenerationDetail } from './generation-detail.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { useRows } from '#web/parts/rows-of.ts'
import { TableTools, useColumns } from './table-tools.tsx'

/** All generations of the settings, the latest first: what each changed, how two differ, and the way back. */
export function SettingsHistory({ generation }: { readonly generation: number }): ReactNode {
  const { t, language } = useWords()
  const { query } = useAddress()
  const list = useRows<GenerationBody>('/settings/history')
  const opened = /^\d{1,9}$/.test(query.get('id') ?? '') ? Number(query.get('id')) : undefined
  const all: readonly Column<GenerationBody>[] = [
    {
      key: 'generation',
      label: t('history.number'),
      width: '110px',
      cell: (row) => (
        <>
          {row.generation}{' '}
          {row.generation === generation && <Mark kind="good">{t('history.now')}</Mark>}
        </>
      ),
      text: (row) => String(row.generation),
    },
    {
      key: 'at',
      label: t('history.at'),
      width: 'minmax(120px, 220px)',
      isExtra: true,
      cell: (row) => dateText(language, row.at),
      text: (row) => row.at,
    },
    {
      key: 'who',
      label: t('history.who'),
      width: 'minmax(70px, 140px)',
      cell: (row) => <span title={row.from}>{row.who}</span>,
      text: (row) => `${row.who} (${row.from})`,
    },
    {
      key: 'what',
      label: t('history.what'),
      width: 'minmax(120px, 2fr)',
      cell: (row) => row.changes.map(({ key }) => key).join(', '),
      text: (row) => row.changes.map(({ key }) => key).join(' '),
    },
    {
      key: 'note',
      label: t('history.note'),
      width: 'minmax(70px, 160px)',
      isExtra: true,
      cell: (row) => row.note,
      text: (row) => row.note,
    },
  ]
  const columns = useColumns('history', all)
  return (
    <>
      <div className="filters">
        <form
          className="bulk"
          onSubmit={(event) => {
            event.preventDefault()
            const wanted = new FormData(event.currentTarget).get('number')
            setQuery({ id: typeof wanted === 'string' ? wanted : undefined, against: undefined })
          }}
        >
          <input
            type="search"
            inputMode="numeric"
            pattern="[0-9]{1,9}"
            className="filter"
            name="number"
            data-search
            aria-label={t('history.goTo')}
            placeholder={t('history.goTo')}
          />
        </form>
        <TableTools table="history" all={all} columns={columns} path="/settings/history" />
      </div>
      <PageTable
        label={t('settings.history')}
        list={list}
        columns={columns.shown}
        keyOf={(row) => String(row.generation)}
        opened={opened === undefined ? undefined : String(opened)}
        onOpen={(row) => setQuery({ id: String(row.generation), against: undefined })}
        empty={t('history.empty')}
        detail={
          opened !== undefined && (
            <GenerationDetail key={opened} number={opened} inForce={generation} />
          )
        }
      />
    </>
  )
}
