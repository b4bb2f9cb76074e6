import { Button, Skeleton } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { GenerationBody, SettingChangeBody } from '#contract/admin/settings.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'
import { dateText } from '#web/parts/times.ts'

import { ask, queryOf } from './api.ts'
import { Changes } from './changes.tsx'
import { usePages } from './pages-of.ts'
import { Trouble } from './trouble.tsx'

/** All generations of the settings, the latest first, and the way back to each. */
export function SettingsHistory({ generation }: { readonly generation: number }): ReactNode {
  const { t, language } = useWords()
  const list = usePages<GenerationBody>('/settings/history')
  const [target, setTarget] = useState<number>()
  if (list.isLoading) return <Skeleton height={200} />
  return (
    <>
      {list.error !== null && <Trouble error={list.error} retry={list.refetch} />}
      {list.rows.length === 0 && <p>{t('history.empty')}</p>}
      <ol className="cards cards-wide">
        {list.rows.map((row) => (
          <li key={row.generation} className="sheet">
            <h2>
              {t('history.generation', { generation: row.generation })}{' '}
              <span className="faint">
                {dateText(language, row.at)} · {row.who} ({row.from})
              </span>
            </h2>
            {row.note !== '' && <p>{row.note}</p>}
            <Changes changes={row.changes} />
            {row.generation === generation ? (
              <p className="faint">{t('history.inForce')}</p>
            ) : (
              <Button variant="default" size="compact-sm" onClick={() => setTarget(row.generation)}>
                {t('history.back')}
              </Button>
            )}
          </li>
        ))}
      </ol>
      {list.hasMore && (
        <Button variant="default" onClick={list.loadMore}>
          {t('history.more')}
        </Button>
      )}
      {target !== undefined && (
        <Rollback from={generation} to={target} onClose={() => setTarget(undefined)} />
      )}
    </>
  )
}

/** What going back would change, before it does. */
function Rollback(props: {
  readonly from: number
  readonly to: number
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const { from, to } = props
  const tell = useNotices()
  const client = useQueryClient()
  const diff = useQuery({
    queryKey: ['diff', from, to],
    queryFn: () =>
      ask<{ readonly items: readonly SettingChangeBody[] }>(
        'GET',
        `/settings/diff${queryOf({ from, to })}`,
      ),
  })
  const back = useMutation({
    mutationFn: () =>
      ask<GenerationBody>('POST', '/settings/rollback', {
        body: { generation: to },
        ifMatch: from,
      }),
    onSuccess: async ({ generation }) => {
      props.onClose()
      tell({ kind: 'done', text: t('settings.applied', { generation }) })
      await client.invalidateQueries({ queryKey: ['settings'] })
      await client.invalidateQueries({ queryKey: ['/settings/history'] })
    },
  })
  const error = diff.error ?? back.error
  return (
    <Dialog title={t('history.backTitle', { generation: to })} onClose={props.onClose}>
      <div className="stack">
        <p>{t('history.backText')}</p>
        {diff.data !== undefined && <Changes changes={diff.data.items} />}
        {error !== null && <Trouble error={error} />}
        <div className="acts">
          <Button
            disabled={diff.data === undefined}
            loading={back.isPending}
            onClick={() => back.mutate()}
          >
            {t('history.back')}
          </Button>
          <Button variant="default" onClick={props.onClose}>
            {t('cancel')}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
