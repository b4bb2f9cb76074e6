import { Button, Skeleton } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { DataTable } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'
import { numberText } from '#web/parts/times.ts'

import { ask } from './api.ts'
import { usePages } from './pages-of.ts'
import { Trouble } from './trouble.tsx'

interface Written {
  readonly rows: number
  readonly added: number
  readonly removed: number
}

/** Networks that may use the relay without a password. */
export function Access(): ReactNode {
  const { t } = useWords()
  const list = usePages<string>('/access')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [text, setText] = useState('')
  const change = useChange()
  return (
    <div className="page-full">
      <h1>{t('access.title')}</h1>
      <p className="faint">{t('access.hint')}</p>
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault()
          const add = text.split(/[,\s]+/).filter(Boolean)
          void change({ add, remove: [] }).then((isDone) => isDone && setText(''))
        }}
      >
        <textarea
          className="filter networks"
          aria-label={t('access.networks')}
          placeholder={t('access.networks')}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          rows={2}
          required
        />
        <Button type="submit">{t('access.add')}</Button>
        {chosen.size > 0 && (
          <Button
            color="red.9"
            onClick={() => {
              const remove = [...chosen]
              setChosen(new Set())
              void change({ add: [], remove })
            }}
          >
            {t('access.remove', { count: chosen.size })}
          </Button>
        )}
      </form>
      {list.error !== null && <Trouble error={list.error} retry={list.refetch} />}
      {list.isLoading ? (
        <Skeleton height={200} />
      ) : (
        <div className="split">
          <DataTable
            label={t('access.title')}
            columns={[
              {
                key: 'choose',
                label: <span className="only-read">{t('queue.chooseHead')}</span>,
                width: '24px',
                cell: (row) => (
                  <input
                    type="checkbox"
                    aria-label={t('queue.choose', { id: row })}
                    checked={chosen.has(row)}
                    onChange={() => setChosen(chosen.symmetricDifference(new Set([row])))}
                  />
                ),
              },
              { key: 'network', label: t('access.network'), width: '1fr', cell: (row) => row },
            ]}
            rows={list.rows}
            keyOf={(row) => row}
            hasMore={list.hasMore}
            loadMore={list.loadMore}
            chosen={chosen}
            onChoose={setChosen}
            empty={t('access.empty')}
          />
        </div>
      )}
    </div>
  )
}

function useChange() {
  const { t, language } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const change = async (body: {
    readonly add: readonly string[]
    readonly remove: readonly string[]
  }): Promise<boolean> => {
    try {
      const done = await ask<Written>('POST', '/access', { body })
      await client.invalidateQueries({ queryKey: ['/access'] })
      tell({
        kind: 'done',
        text: t('access.did', {
          added: done.added,
          removed: done.removed,
          rows: numberText(language, done.rows),
        }),
        undo: () => void change({ add: body.remove, remove: body.add }),
      })
      return true
    } catch (thrown) {
      tell({ kind: 'failed', text: thrown instanceof Error ? thrown.message : String(thrown) })
      return false
    }
  }
  return change
}
