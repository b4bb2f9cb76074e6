import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { GenerationBody, SettingChangeBody } from '#contract/admin/settings.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import { ask, queryOf } from '#web/parts/api.ts'
import { Changes } from './changes.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

/** What going back would change, before it does. */
export function Rollback(props: {
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
