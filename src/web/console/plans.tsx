import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { BulkDone, PlanBody } from '#contract/admin/bulk.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'

import { useAct } from './acts.ts'
import { ask, part } from '#web/parts/api.ts'
import { May } from './may.tsx'
import { NewPlan } from './new-plan.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { PlanPreview, useChangeText } from './plan-preview.tsx'
import { listed } from '#web/parts/rows-of.ts'
import { Sheet } from '#web/parts/sheet.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

const PATH = '/directory/plans'

/** What becomes of whole cohorts on a day to come. */
export function Plans(): ReactNode {
  const { t } = useWords()
  const open = useAddress().query.get('id')
  const [isAdding, setAdding] = useState(false)
  const columns = usePlanColumns()
  const found = useQuery({
    queryKey: [PATH],
    queryFn: ({ signal }) => ask<{ readonly items: readonly PlanBody[] }>('GET', PATH, { signal }),
  })
  return (
    <>
      <p className="faint">{t('plan.hint')}</p>
      <div className="filters">
        <May do="people.write">
          <Button onClick={() => setAdding(true)}>{t('plan.add')}</Button>
        </May>
      </div>
      <PageTable
        label={t('plan.title')}
        list={listed(PATH, found.data?.items ?? [], found)}
        columns={columns}
        keyOf={({ id }) => id}
        opened={open ?? undefined}
        onOpen={({ id }) => setQuery({ id })}
        empty={t('plan.empty')}
        detail={open !== null && <PlanDetail key={open} id={open} />}
      />
      {isAdding && <NewPlan onClose={() => setAdding(false)} />}
    </>
  )
}

function usePlanColumns(): readonly Column<PlanBody>[] {
  const { t } = useWords()
  const changeText = useChangeText()
  return [
    { key: 'on', label: t('plan.on'), width: '100px', cell: ({ on }) => on },
    {
      key: 'title',
      label: t('plan.name'),
      width: 'minmax(100px, 1.2fr)',
      cell: ({ title }) => title,
    },
    {
      key: 'where',
      label: t('people.tags'),
      width: 'minmax(80px, 1fr)',
      cell: ({ where }) => (where.tags ?? []).join(', '),
    },
    {
      key: 'change',
      label: t('plan.change'),
      width: 'minmax(100px, 1.6fr)',
      isExtra: true,
      cell: ({ change }) => changeText(change),
    },
    {
      key: 'state',
      label: t('plan.state'),
      width: 'minmax(80px, 1fr)',
      isExtra: true,
      cell: ({ done }) =>
        done === undefined ? (
          <Mark kind="plain">{t('plan.coming')}</Mark>
        ) : (
          <Mark kind={done.refused > 0 ? 'warn' : 'good'}>
            {t('plan.made', { changed: done.changed, refused: done.refused })}
          </Mark>
        ),
    },
  ]
}

function PlanDetail({ id }: { readonly id: string }): ReactNode {
  const { t } = useWords()
  const act = useAct(PATH)
  const changeText = useChangeText()
  const found = useQuery({
    queryKey: [PATH, id],
    queryFn: ({ signal }) => ask<PlanBody & BulkDone>('GET', `${PATH}/${part(id)}`, { signal }),
    retry: false,
  })
  const plan = found.data
  if (plan === undefined)
    return (
      <Sheet title={t('plan.title')}>
        {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      </Sheet>
    )
  const cancel = async (): Promise<void> => {
    const { title, on, where, change } = plan
    const isDone = await act({
      work: () => ask('DELETE', `${PATH}/${part(id)}`),
      text: t('plan.didCancel', { title }),
      undo: () =>
        void act({
          work: () => ask('POST', PATH, { body: { title, on, where, change } }),
          text: t('plan.did', { title, on }),
        }),
    })
    if (isDone) setQuery({ id: undefined })
  }
  return (
    <Sheet title={plan.title}>
      <dl className="facts facts-narrow">
        <div>
          <dt>{t('plan.on')}</dt>
          <dd>{plan.on}</dd>
        </div>
        <div>
          <dt>{t('plan.where')}</dt>
          <dd>{(plan.where.tags ?? []).join(', ')}</dd>
        </div>
        <div>
          <dt>{t('plan.change')}</dt>
          <dd>{changeText(plan.change)}</dd>
        </div>
        <div>
          <dt>{t('plan.by')}</dt>
          <dd>{plan.by}</dd>
        </div>
      </dl>
      {plan.done === undefined && (
        <>
          <May do="people.write">
            <div className="acts">
              <Button color="red.9" size="compact-sm" onClick={() => void cancel()}>
                {t('plan.cancel')}
              </Button>
            </div>
          </May>
          <h3>{t('plan.now')}</h3>
          <PlanPreview done={plan} />
        </>
      )}
    </Sheet>
  )
}
