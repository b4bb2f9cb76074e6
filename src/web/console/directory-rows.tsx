import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { setQuery, useAddress } from '#web/parts/address.ts'
import type { Permission } from '#model/role.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'

import { useAct } from './acts.ts'
import { AddRow } from './add-row.tsx'
import { ask, queryOf } from '#web/parts/api.ts'
import { EditRow } from './edit-row.tsx'
import type { EditField, Values } from './edit-row.tsx'
import { FilterText } from '#web/parts/filter-text.tsx'
import { May } from './may.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { useRows } from '#web/parts/rows-of.ts'
import type { Page } from '#web/parts/rows-of.ts'
import { Sheet } from '#web/parts/sheet.tsx'
import { TableTools, useColumns } from './table-tools.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

/** Of the rows that hold the key, one is it. */
const FOUND_MAX = 1_000

/** One kind of the directory's rows: how they are shown, made, changed, removed. */
export interface Kind<Row> {
  /** In the words: `domain` for `domain.add`, `domain.added`, `domain.removed`, `domain.empty`, `domain.hint`. */
  readonly word: string
  readonly path: string
  readonly keyOf: (row: Row) => string
  readonly columns: readonly Column<Row>[]
  readonly addFields: readonly EditField[]
  readonly editFields: readonly EditField[]
  readonly seenOf: (row: Row) => { readonly values: Values; readonly version: string }
  readonly add: (values: Values) => Promise<unknown>
  readonly save: (row: Row, values: Values, version: string) => Promise<unknown>
  readonly remove: (row: Row) => Promise<unknown>
  /** Takes a removal back. */
  readonly restore: (row: Row) => Promise<unknown>
  /** What else is shown of one. */
  readonly more?: (row: Row) => ReactNode
  /** What it takes to change them. */
  readonly permission: Permission
}

/** A table of one kind of rows, and what can be done with them. */
export function DirectoryRows<Row>({ kind }: { readonly kind: Kind<Row> }): ReactNode {
  const { t } = useWords()
  const { query } = useAddress()
  const search = query.get('q') ?? ''
  const open = query.get('id')
  const { word, path } = kind
  const list = useRows<Row>(path, { search })
  const columns = useColumns(word, kind.columns)
  const [isAdding, setAdding] = useState(false)
  return (
    <>
      <p className="faint">{t(`${word}.hint`)}</p>
      <div className="filters">
        <FilterText name="q" label={t('destinations.search')} />
        <May do={kind.permission}>
          <Button onClick={() => setAdding(true)}>{t(`${word}.add`)}</Button>
        </May>
        <TableTools
          table={word}
          all={kind.columns}
          columns={columns}
          path={path}
          query={{ search }}
        />
      </div>
      <PageTable
        label={t(`${word}.title`)}
        list={list}
        columns={columns.shown}
        keyOf={kind.keyOf}
        opened={open ?? undefined}
        onOpen={(row) => setQuery({ id: kind.keyOf(row) })}
        empty={t(search === '' ? `${word}.empty` : 'people.none')}
        detail={open !== null && <Detail key={open} kind={kind} id={open} />}
      />
      {isAdding && (
        <AddRow
          title={t(`${word}.add`)}
          fields={kind.addFields}
          add={kind.add}
          said={(values) => t(`${word}.added`, { name: Object.values(values)[0] })}
          lists={[path, '/users']}
          onClose={() => setAdding(false)}
        />
      )}
    </>
  )
}

function Detail<Row>(props: { readonly kind: Kind<Row>; readonly id: string }): ReactNode {
  const { t } = useWords()
  const { kind, id } = props
  const { word, path } = kind
  const act = useAct(path, '/users')
  const find = async (): Promise<Row | null> => {
    const page: Page<Row> = await ask('GET', `${path}${queryOf({ search: id, limit: FOUND_MAX })}`)
    return page.items.find((row) => kind.keyOf(row) === id) ?? null
  }
  const found = useQuery({ queryKey: [path, 'one', id], queryFn: find })
  const row = found.data
  const remove = async (gone: Row): Promise<void> => {
    const isDone = await act({
      work: () => kind.remove(gone),
      text: t(`${word}.removed`, { name: id }),
      undo: () =>
        void act({ work: () => kind.restore(gone), text: t(`${word}.added`, { name: id }) }),
    })
    if (isDone) setQuery({ id: undefined })
  }
  return (
    <Sheet title={id} isCode>
      {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      {row === null && <p>{t('destinations.gone')}</p>}
      {row !== null && row !== undefined && (
        <May do={kind.permission}>
          <EditRow
            fields={kind.editFields}
            seen={kind.seenOf(row)}
            save={(values, version) => kind.save(row, values, version)}
            now={async () => {
              const now = await find()
              if (now === null) throw new Error('gone')
              return kind.seenOf(now)
            }}
            said={t('edit.saved', { name: id })}
            lists={[path, '/users']}
          />
          <div className="acts">
            <Button color="red.9" size="compact-sm" onClick={() => void remove(row)}>
              {t('act.drop')}
            </Button>
          </div>
        </May>
      )}
      {row !== null && row !== undefined && kind.more?.(row)}
    </Sheet>
  )
}
