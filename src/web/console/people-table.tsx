import { Button } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { UserBody } from '#contract/admin/directory.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { choiceColumn } from '#web/parts/choice-column.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'

import { BulkPeople } from './bulk-people.tsx'
import { FilterText } from '#web/parts/filter-text.tsx'
import { May } from './may.tsx'
import { NewPerson } from './new-person.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { PersonDetail } from './person-detail.tsx'
import { LifeMark, useRestore } from './person-life.tsx'
import { StorageCell, useNearPercent } from './person-storage.tsx'
import { useRows } from '#web/parts/rows-of.ts'
import { TableTools, useColumns } from './table-tools.tsx'

/** Accounts: who has a mailbox here. */
export function PeopleTable(): ReactNode {
  const { t } = useWords()
  const { query } = useAddress()
  const search = query.get('q') ?? ''
  const isFull = query.get('full') === 'near'
  const isDeleted = query.get('deleted') === 'true'
  const restore = useRestore()
  const nearPercent = useNearPercent()
  const asked = {
    search,
    used: 'true',
    ...(isFull && { fullFrom: String(nearPercent) }),
    ...(isDeleted && { deleted: 'true' }),
  }
  const list = useRows<UserBody>('/users', asked, {
    places: isFull ? undefined : '/directory/user-places',
  })
  const opened = query.get('id')
  const [isAdding, setAdding] = useState(false)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const all: readonly Column<UserBody>[] = [
    ...(isDeleted
      ? []
      : [
          choiceColumn<UserBody>(t, {
            keyOf: ({ id }) => id,
            nameOf: ({ address }) => address,
            chosen,
            onChoose: setChosen,
          }),
        ]),
    {
      key: 'address',
      label: t('people.address'),
      // A phone has no room for most of an address, a desk has.
      width: 'minmax(min(200px, 32vw), 2fr)',
      cell: ({ address }) => address,
      text: ({ address }) => address,
    },
    {
      key: 'name',
      label: t('people.name'),
      width: 'minmax(80px, 1fr)',
      isExtra: isDeleted,
      cell: ({ name }) => name,
      text: ({ name }) => name ?? '',
    },
    {
      key: 'reading',
      label: t('people.reading'),
      width: 'minmax(80px, 1fr)',
      isExtra: true,
      cell: ({ reading }) => reading,
      text: ({ reading }) => reading ?? '',
    },
    {
      key: 'tags',
      label: t('people.tags'),
      width: 'minmax(80px, 1.4fr)',
      isExtra: true,
      cell: ({ tags }) => tags?.join(', '),
      text: ({ tags }) => tags?.join(', ') ?? '',
    },
    {
      key: 'state',
      label: t('queue.state'),
      width: 'minmax(104px, 0.9fr)',
      cell: (row) =>
        row.role !== 'user' && row.state === 'active' ? (
          <Mark kind="plain">{t(`people.${row.role}`)}</Mark>
        ) : (
          <LifeMark person={row} />
        ),
      text: ({ state, role }) => (state === 'active' && role !== 'user' ? role : state),
    },
    ...(isDeleted
      ? [
          {
            key: 'restore',
            label: <span className="only-read">{t('life.restore')}</span>,
            width: '96px',
            cell: (row: UserBody) => (
              <May do="people.write">
                <button type="button" className="as-link" onClick={() => void restore(row)}>
                  {t('life.restore')}
                </button>
              </May>
            ),
          },
        ]
      : []),
    {
      key: 'storage',
      label: t('quota.title'),
      width: 'minmax(120px, 150px)',
      isExtra: !isFull,
      cell: (row) => <StorageCell person={row} />,
      text: ({ used }) => String(used?.bytes ?? ''),
    },
    {
      key: 'more',
      label: t('people.addresses'),
      width: 'minmax(80px, 1fr)',
      isExtra: true,
      isSeldom: true,
      cell: ({ addresses }) => addresses.join(', '),
      text: ({ addresses }) => addresses.join(' '),
    },
    {
      key: 'forward',
      label: t('people.forward'),
      width: 'minmax(80px, 1fr)',
      isExtra: true,
      isSeldom: true,
      cell: ({ forward }) => forward?.to.join(', '),
      text: ({ forward }) => forward?.to.join(' ') ?? '',
    },
    {
      key: 'scheme',
      label: t('people.scheme'),
      width: '90px',
      isExtra: true,
      isSeldom: true,
      cell: ({ passwordScheme }) => passwordScheme ?? '–',
      text: ({ passwordScheme }) => passwordScheme ?? '',
    },
  ]
  const columns = useColumns('people', all)
  return (
    <>
      <div className="filters">
        <FilterText name="q" label={t('people.search')} />
        <select
          aria-label={t('quota.filter')}
          value={isFull ? 'near' : ''}
          onChange={(event) => setQuery({ full: event.currentTarget.value })}
        >
          <option value="">{t('quota.any')}</option>
          <option value="near">{t('quota.near', { percent: nearPercent })}</option>
        </select>
        <select
          aria-label={t('life.filter')}
          value={isDeleted ? 'true' : ''}
          onChange={(event) => {
            setChosen(new Set())
            setQuery({ deleted: event.currentTarget.value, id: undefined })
          }}
        >
          <option value="">{t('life.inUse')}</option>
          <option value="true">{t('life.deletedOnly')}</option>
        </select>
        <May do="people.write">
          <Button onClick={() => setAdding(true)}>{t('people.add')}</Button>
        </May>
        {chosen.size > 0 && !isDeleted && (
          <BulkPeople chosen={chosen} onChoose={setChosen} query={asked} columns={columns.shown} />
        )}
        <TableTools table="people" all={all} columns={columns} path="/users" query={asked} />
      </div>
      <PageTable
        label={t('people.title')}
        list={list}
        columns={columns.shown}
        keyOf={({ id }) => id}
        opened={opened ?? undefined}
        {...(!isDeleted && { onOpen: ({ id }: UserBody) => setQuery({ id }) })}
        chosen={chosen}
        onChoose={setChosen}
        empty={t(
          isDeleted
            ? 'life.noneDeleted'
            : isFull
              ? 'quota.noneFull'
              : search === ''
                ? 'people.empty'
                : 'people.none',
        )}
        detail={opened !== null && <PersonDetail key={opened} id={opened} />}
      />
      {isAdding && <NewPerson onClose={() => setAdding(false)} />}
    </>
  )
}
