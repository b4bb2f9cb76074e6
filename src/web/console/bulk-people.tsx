import { Button } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { UserBody, UserIds } from '#contract/admin/directory.ts'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'
import { numberText } from '#web/parts/times.ts'

import { ask, queryOf } from '#web/parts/api.ts'
import { ChangePeople } from './change-people.tsx'
import { csvColumns, csvOf, saveFile } from '#web/parts/csv.ts'
import { May } from './may.tsx'
import { reasonOf } from './reason.ts'
import type { Query } from '#web/parts/rows-of.ts'
import type { useColumns } from './table-tools.tsx'

/** What can be done with the people chosen, and with all that a search finds. */
export function BulkPeople(props: {
  readonly chosen: ReadonlySet<string>
  readonly onChoose: (chosen: ReadonlySet<string>) => void
  readonly query: Query
  readonly columns: ReturnType<typeof useColumns<UserBody>>['shown']
}): ReactNode {
  const { t, language } = useWords()
  const tell = useNotices()
  const { chosen, onChoose, query } = props
  const [isChanging, setChanging] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const number = numberText(language, chosen.size)
  const busy = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true)
    try {
      await work()
    } catch (thrown) {
      tell({
        kind: 'failed',
        text: t('did.failed', { reason: reasonOf(t, thrown) ?? t('trouble.away') }),
      })
    }
    setBusy(false)
  }
  const all = (): Promise<void> =>
    busy(async () => {
      const { fullFrom, tag, search } = query
      const path = `/directory/user-ids${queryOf({ fullFrom, tag, search })}`
      onChoose(new Set((await ask<UserIds>('GET', path)).items))
    })
  const save = (): Promise<void> =>
    busy(async () => {
      const blob = await csvOf<UserBody>({
        path: '/users',
        query,
        columns: csvColumns(props.columns),
        only: ({ id }) => chosen.has(id),
        signal: new AbortController().signal,
        onRows: () => undefined,
      })
      saveFile('watari-people.csv', blob)
    })
  return (
    <div
      className="bulk"
      role="toolbar"
      aria-label={t('bulk.chosen', { count: chosen.size, number })}
    >
      <span>{t('bulk.chosen', { count: chosen.size, number })}</span>
      <May do="people.write">
        <Button size="compact-sm" disabled={isBusy} onClick={() => setChanging(true)}>
          {t('bulk.change')}
        </Button>
      </May>
      <Button variant="default" size="compact-sm" disabled={isBusy} onClick={() => void save()}>
        {t('table.csv')}
      </Button>
      <Button variant="default" size="compact-sm" loading={isBusy} onClick={() => void all()}>
        {t('bulk.all')}
      </Button>
      <Button variant="subtle" size="compact-sm" onClick={() => onChoose(new Set())}>
        {t('queue.chooseNone')}
      </Button>
      {isChanging && <ChangePeople chosen={chosen} onClose={() => setChanging(false)} />}
    </div>
  )
}
