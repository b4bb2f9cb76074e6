import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { SourceBody, SourcesBody } from '#contract/admin/sources.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { dateText, numberText, relativeText } from '#web/parts/times.ts'

import { ask } from '#web/parts/api.ts'
import { May } from './may.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { listed } from '#web/parts/rows-of.ts'
import { SourceDetail } from './source-detail.tsx'
import { SourceForm } from './source-form.tsx'
import { SourceMark } from './source-mark.tsx'

const PATH = '/directory/sources'
const LIVE_MS = 5_000

/** Other directories whose people are ours, in the order in which they are believed. */
export function Sources(): ReactNode {
  const { t } = useWords()
  const open = useAddress().query.get('id')
  const [isAdding, setAdding] = useState(false)
  const columns = useSourceColumns()
  const found = useQuery({
    queryKey: [PATH],
    queryFn: ({ signal }) => ask<SourcesBody>('GET', PATH, { signal, background: true }),
    refetchInterval: LIVE_MS,
  })
  const items = found.data?.items ?? []
  const opened = items.find(({ name }) => name === open)
  const maps = found.data?.maps ?? []
  return (
    <>
      <p className="faint">{t('source.hint')}</p>
      <div className="filters">
        <May do="sources.write">
          <Button onClick={() => setAdding(true)} disabled={found.data === undefined}>
            {t('source.add')}
          </Button>
        </May>
      </div>
      <PageTable
        label={t('source.title')}
        list={listed(PATH, items, found)}
        columns={columns}
        keyOf={({ name }) => name}
        opened={open ?? undefined}
        onOpen={({ name }) => setQuery({ id: name })}
        empty={t('source.empty')}
        detail={
          open !== null &&
          found.data !== undefined && (
            <SourceDetail key={open} name={open} source={opened} maps={maps} />
          )
        }
      />
      {isAdding && <SourceForm maps={maps} onClose={() => setAdding(false)} />}
    </>
  )
}

function useSourceColumns(): readonly Column<SourceBody>[] {
  const { t, language } = useWords()
  return [
    {
      key: 'order',
      label: t('source.order'),
      width: '56px',
      cell: ({ order }) => order,
    },
    {
      key: 'name',
      label: t('source.name'),
      width: 'minmax(90px, 1fr)',
      cell: ({ name }) => name,
    },
    {
      key: 'state',
      label: t('queue.state'),
      width: '130px',
      cell: ({ state }) => <SourceMark state={state} />,
    },
    {
      key: 'people',
      label: t('source.people'),
      width: '84px',
      cell: ({ people }) => (people === undefined ? '–' : numberText(language, people)),
    },
    {
      key: 'read',
      label: t('source.read'),
      width: '130px',
      isExtra: true,
      cell: ({ readAt }) =>
        readAt === undefined ? (
          '–'
        ) : (
          <span title={dateText(language, readAt)}>{relativeText(language, readAt)}</span>
        ),
    },
    {
      key: 'hosts',
      label: t('source.hosts'),
      width: 'minmax(120px, 1.6fr)',
      isExtra: true,
      cell: ({ urls, hosts }) => {
        const away = hosts.filter(({ state }) => state === 'away').length
        const all = urls.join(', ')
        return away === 0 ? all : t('source.hostsAway', { away, count: urls.length, all })
      },
    },
    {
      key: 'notes',
      label: t('source.notes'),
      width: '90px',
      isExtra: true,
      cell: ({ notes }) => (notes.length === 0 ? '–' : numberText(language, notes.length)),
    },
  ]
}
