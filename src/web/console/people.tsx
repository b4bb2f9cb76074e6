import { Button, Skeleton } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { UserBody } from '#contract/admin/directory.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { DataTable } from '#web/parts/data-table.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'

import { Aliases } from './aliases.tsx'
import { FilterText } from './filter-text.tsx'
import { NewPerson } from './new-person.tsx'
import { usePages } from './pages-of.ts'
import { PersonDetail } from './person-detail.tsx'
import { Tabs } from './tabs.tsx'
import { Trouble } from './trouble.tsx'

const TABS = ['accounts', 'aliases'] as const

/** Accounts, and the addresses that lead to them. */
export function People(): ReactNode {
  const { t } = useWords()
  const tab = useAddress().query.get('tab') ?? 'accounts'
  return (
    <div className="page-full">
      <h1>{t('people.title')}</h1>
      <Tabs label={t('people.title')} tabs={TABS} word="people" current={tab} />
      {tab === 'aliases' ? <Aliases /> : <Accounts />}
    </div>
  )
}

function Accounts(): ReactNode {
  const { t } = useWords()
  const { query } = useAddress()
  const search = query.get('q') ?? ''
  const list = usePages<UserBody>('/users', { search })
  const opened = list.rows.find(({ id }) => id === query.get('id'))
  const [isAdding, setAdding] = useState(false)
  const columns: readonly Column<UserBody>[] = [
    {
      key: 'address',
      label: t('people.address'),
      width: 'minmax(120px, 1.4fr)',
      cell: ({ address }) => address,
    },
    { key: 'name', label: t('people.name'), width: 'minmax(80px, 1fr)', cell: ({ name }) => name },
    {
      key: 'state',
      label: t('queue.state'),
      width: '130px',
      cell: (row) =>
        row.disabled ? (
          <Mark kind="bad">{t('people.disabled')}</Mark>
        ) : row.admin ? (
          <Mark kind="plain">{t('people.admin')}</Mark>
        ) : (
          <Mark kind="good">{t('people.active')}</Mark>
        ),
    },
    {
      key: 'more',
      label: t('people.addresses'),
      width: 'minmax(80px, 1fr)',
      isExtra: true,
      cell: ({ addresses }) => addresses.join(', '),
    },
    {
      key: 'forward',
      label: t('people.forward'),
      width: 'minmax(80px, 1fr)',
      isExtra: true,
      cell: ({ forward }) => forward?.to.join(', '),
    },
  ]
  return (
    <>
      <div className="filters">
        <FilterText name="q" label={t('people.search')} />
        <Button onClick={() => setAdding(true)}>{t('people.add')}</Button>
      </div>
      {list.error !== null && <Trouble error={list.error} retry={list.refetch} />}
      {list.isLoading ? (
        <Skeleton height={200} />
      ) : (
        <div className={opened === undefined ? 'split' : 'split split-open'}>
          <DataTable
            label={t('people.accounts')}
            columns={columns}
            rows={list.rows}
            keyOf={({ id }) => id}
            hasMore={list.hasMore}
            loadMore={list.loadMore}
            opened={opened?.id}
            onOpen={({ id }) => setQuery({ id })}
            empty={t(search === '' ? 'people.empty' : 'people.none')}
          />
          {opened !== undefined && <PersonDetail key={opened.id} person={opened} />}
        </div>
      )}
      {isAdding && <NewPerson onClose={() => setAdding(false)} />}
    </>
  )
}
