import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { ListBody } from '#contract/admin/lists.ts'
import { go, useAddress } from '#web/parts/address.ts'
import { ask, part } from '#web/parts/api.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { FilterText } from '#web/parts/filter-text.tsx'
import { useWords } from '#web/parts/language.ts'
import { PageTable } from '#web/parts/page-table.tsx'
import { listed, useRows } from '#web/parts/rows-of.ts'
import { Tabs } from '#web/parts/tabs.tsx'

import { Leave, OpenLists, OwnDelivery } from './own-place.tsx'
import type { MyListBody } from './nouns.ts'
import { useSession } from './session.ts'

export const pathOf = (address: string): string => `/lists/${part(address)}`

/** The lists that one has a part in; for managers of lists, all of them. */
export function MyLists(): ReactNode {
  const { t } = useWords()
  const { data: session } = useSession()
  const { query } = useAddress()
  const seesAll = session?.permissions.includes('lists.read') === true
  const tabs = ['mine', 'open', ...(seesAll ? ['all'] : [])]
  const tab = tabs.find((each) => each === query.get('tab')) ?? 'mine'
  return (
    <div className="page-full">
      <title>{`${t('lists.title')} · Watari`}</title>
      <h1>{t('lists.title')}</h1>
      <Tabs label={t('lists.title')} tabs={tabs} word="lists" current={tab} />
      {tab === 'all' ? <AllLists /> : tab === 'open' ? <OpenLists /> : <Mine />}
    </div>
  )
}

function Mine(): ReactNode {
  const { t } = useWords()
  const found = useQuery({
    queryKey: ['/me/lists'],
    queryFn: () => ask<{ items: MyListBody[] }>('GET', '/me/lists', { background: true }),
  })
  const columns: Column<MyListBody>[] = [
    ...called<MyListBody>(t),
    {
      key: 'as',
      label: t('lists.part'),
      width: 'minmax(110px, 0.7fr)',
      cell: ({ as }) => as.map((each) => t(`part.${each}`)).join(t('comma')),
      isExtra: true,
    },
    {
      key: 'delivery',
      label: t('member.delivery'),
      width: '120px',
      cell: (list) => <OwnDelivery list={list} />,
    },
    {
      key: 'leave',
      label: t('own.leave'),
      width: '84px',
      cell: (list) => (list.mayLeave ? <Leave list={list} /> : ''),
    },
  ]
  return (
    <PageTable
      label={t('lists.title')}
      columns={columns}
      list={listed('/me/lists', found.data?.items ?? [], found)}
      keyOf={({ address }) => address}
      onOpen={({ address }) => go(pathOf(address))}
      empty={t('lists.none')}
    />
  )
}

function AllLists(): ReactNode {
  const { t } = useWords()
  const { query } = useAddress()
  const search = query.get('search') ?? undefined
  const list = useRows<ListBody>('/lists', { search })
  const columns: Column<ListBody>[] = [
    ...called<ListBody>(t),
    {
      key: 'members',
      label: t('lists.members'),
      width: '90px',
      cell: ({ members }) => <span className="number">{members}</span>,
    },
    {
      key: 'owners',
      label: t('rules.owners'),
      width: 'minmax(110px, 0.8fr)',
      cell: ({ owners }) =>
        owners.map(({ name, address, id }) => name ?? address ?? id).join(t('comma')),
      isExtra: true,
    },
  ]
  return (
    <>
      <div className="filters">
        <FilterText name="search" label={t('lists.search')} />
      </div>
      <PageTable
        label={t('lists.title')}
        columns={columns}
        list={list}
        keyOf={({ id }) => id}
        onOpen={({ address }) => go(pathOf(address))}
        empty={search === undefined ? t('lists.noneAtAll') : t('lists.notFound')}
      />
    </>
  )
}

/** What a list is called; alike in both tables. */
const called = <Row extends { readonly name?: string | undefined; readonly address: string }>(
  t: ReturnType<typeof useWords>['t'],
): readonly Column<Row>[] => [
  {
    key: 'name',
    label: t('lists.name'),
    width: 'minmax(100px, 1fr)',
    cell: ({ name, address }) => name ?? address,
  },
  {
    key: 'address',
    label: t('lists.address'),
    width: 'minmax(140px, 1fr)',
    cell: ({ address }) => address,
    isExtra: true,
  },
]
