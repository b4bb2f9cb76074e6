import { Button, Skeleton, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { useAddress } from '#web/parts/address.ts'
import { DataTable } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import { ask, part } from './api.ts'
import { FilterText } from './filter-text.tsx'
import { usePages } from './pages-of.ts'
import { Trouble } from './trouble.tsx'

interface Alias {
  readonly from: string
  readonly to: readonly string[]
}

/** Addresses that lead to others. */
export function Aliases(): ReactNode {
  const { t } = useWords()
  const search = useAddress().query.get('q') ?? ''
  const list = usePages<Alias>('/aliases', { search })
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const { add, remove } = useAliasActs()
  return (
    <>
      <div className="filters">
        <FilterText name="q" label={t('people.search')} />
        <form
          className="bulk"
          onSubmit={(event) => {
            event.preventDefault()
            void add({ from, to: to.split(/[,\s]+/).filter(Boolean) }).then((isDone) => {
              if (!isDone) return
              setFrom('')
              setTo('')
            })
          }}
        >
          <TextInput
            aria-label={t('alias.from')}
            placeholder={t('alias.from')}
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value)}
            required
          />
          <TextInput
            aria-label={t('alias.to')}
            placeholder={t('alias.to')}
            value={to}
            onChange={(event) => setTo(event.currentTarget.value)}
            required
          />
          <Button type="submit">{t('alias.add')}</Button>
        </form>
      </div>
      {list.error !== null && <Trouble error={list.error} retry={list.refetch} />}
      {list.isLoading ? (
        <Skeleton height={200} />
      ) : (
        <div className="split">
          <DataTable
            label={t('people.aliases')}
            columns={[
              { key: 'from', label: t('alias.from'), width: '1fr', cell: (row) => row.from },
              { key: 'to', label: t('alias.to'), width: '1.5fr', cell: (row) => row.to.join(', ') },
              {
                key: 'remove',
                label: t('alias.acts'),
                width: '90px',
                cell: (row) => (
                  <Button
                    variant="default"
                    size="compact-xs"
                    aria-label={t('alias.removeOne', { from: row.from })}
                    onClick={() => void remove(row)}
                  >
                    {t('act.drop')}
                  </Button>
                ),
              },
            ]}
            rows={list.rows}
            keyOf={(row) => row.from}
            hasMore={list.hasMore}
            loadMore={list.loadMore}
            empty={t(search === '' ? 'alias.empty' : 'people.none')}
          />
        </div>
      )}
    </>
  )
}

function useAliasActs() {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const run = async (work: Promise<unknown>, text: string, undo?: () => void): Promise<boolean> => {
    try {
      await work
      tell({ kind: 'done', text, ...(undo !== undefined && { undo }) })
      await client.invalidateQueries({ queryKey: ['/aliases'] })
      return true
    } catch (thrown) {
      tell({ kind: 'failed', text: thrown instanceof Error ? thrown.message : String(thrown) })
      return false
    }
  }
  const add = (alias: Alias): Promise<boolean> =>
    run(ask('POST', '/aliases', { body: alias }), t('alias.added', { from: alias.from }))
  const remove = (alias: Alias): Promise<boolean> =>
    run(
      ask('DELETE', `/aliases/${part(alias.from)}`),
      t('alias.removed', { from: alias.from }),
      () => void add(alias),
    )
  return { add, remove }
}
