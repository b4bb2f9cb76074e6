import { Button, Skeleton } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { QueueMessageBody } from '#contract/admin/mail.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { DataTable } from '#web/parts/data-table.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { useNotices } from '#web/parts/notices.tsx'
import { dateText, relativeText, sizeText } from '#web/parts/times.ts'

import { ask, part } from './api.ts'
import { Confirm } from './confirm.tsx'
import { FilterText } from './filter-text.tsx'
import { usePages } from './pages-of.ts'
import { MailDetail } from './queue-detail.tsx'
import { STATE_MARKS, stateOf } from './queue-state.ts'
import { Trouble } from './trouble.tsx'

type Act = 'hold' | 'release' | 'retry' | 'drop'

const REFRESH_MS = 10_000
const STATES = ['ready', 'claimed', 'held'] as const
/** What takes an act back. */
const OPPOSITE: Partial<Record<Act, Act>> = { hold: 'release', release: 'hold' }
/** Acts under way at once. */
const TOGETHER = 8

/** What waits in all nodes' queues, and the acts on it. */
export function Queue(): ReactNode {
  const { t, language } = useWords()
  const { query } = useAddress()
  const [state, address, open] = ['state', 'address', 'id'].map((name) => query.get(name) ?? '')
  const list = usePages<QueueMessageBody>('/queue', { state, address }, REFRESH_MS)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [dropping, setDropping] = useState<readonly string[]>([])
  const columns = useColumns(chosen, setChosen)
  const act = useActs()
  const { rows } = list
  const opened = rows.find(({ queueId }) => queueId === open)
  const unreachable = list.pages.flatMap((page) => page.unreachable ?? [])
  const acts = (ids: readonly string[]): ReactNode =>
    (['hold', 'release', 'retry'] as const).map((each) => (
      <Button key={each} variant="default" size="compact-sm" onClick={() => void act(each, ids)}>
        {t(`act.${each}`)}
      </Button>
    ))
  const bar = (ids: readonly string[]): ReactNode => (
    <>
      {acts(ids)}
      <Button color="red.9" size="compact-sm" onClick={() => setDropping(ids)}>
        {t('act.drop')}
      </Button>
    </>
  )
  const all = [...chosen].filter((id) => rows.some(({ queueId }) => queueId === id))
  return (
    <div className="page-full">
      <h1>{t('queue.title')}</h1>
      <div className="filters">
        <select
          aria-label={t('queue.state')}
          value={state}
          onChange={(event) => setQuery({ state: event.currentTarget.value, id: undefined })}
        >
          <option value="">{t('queue.all')}</option>
          {STATES.map((each) => (
            <option key={each} value={each}>
              {t(`queue.${each}`)}
            </option>
          ))}
        </select>
        <FilterText name="address" label={t('queue.address')} />
        {all.length > 0 && (
          <div
            className="bulk"
            role="toolbar"
            aria-label={t('queue.chosen', { count: all.length })}
          >
            <span>{t('queue.chosen', { count: all.length })}</span>
            {bar(all)}
          </div>
        )}
      </div>
      {unreachable.length > 0 && (
        <p role="alert">
          <Mark kind="bad">
            {t('queue.unreachable', {
              names: new Intl.ListFormat(language).format(unreachable.map(({ node }) => node)),
            })}
          </Mark>
        </p>
      )}
      {list.error !== null && <Trouble error={list.error} retry={list.refetch} />}
      {list.isLoading ? (
        <Skeleton height={200} />
      ) : (
        <div className={opened === undefined ? 'split' : 'split split-open'}>
          <DataTable
            label={t('queue.title')}
            columns={columns}
            rows={rows}
            keyOf={({ queueId }) => queueId}
            hasMore={list.hasMore}
            loadMore={list.loadMore}
            opened={open}
            onOpen={({ queueId }) => setQuery({ id: queueId })}
            chosen={chosen}
            onChoose={setChosen}
            empty={t(state === '' && address === '' ? 'queue.empty' : 'queue.none')}
          />
          {opened !== undefined && <MailDetail message={opened} acts={bar([opened.queueId])} />}
        </div>
      )}
      {dropping.length > 0 && (
        <Confirm
          title={t('drop.title')}
          text={t('drop.text', { count: dropping.length })}
          ask={t('drop.ask', { count: dropping.length })}
          word={String(dropping.length)}
          action={t('act.drop')}
          onClose={() => setDropping([])}
          onConfirm={() => {
            setDropping([])
            setChosen(new Set())
            void act('drop', dropping)
          }}
        />
      )}
    </div>
  )
}

function useColumns(
  chosen: ReadonlySet<string>,
  setChosen: (chosen: ReadonlySet<string>) => void,
): readonly Column<QueueMessageBody>[] {
  const { t, language } = useWords()
  return [
    {
      key: 'choose',
      label: <span className="only-read">{t('queue.chooseHead')}</span>,
      width: '24px',
      cell: ({ queueId }) => (
        <input
          type="checkbox"
          aria-label={t('queue.choose', { id: queueId })}
          checked={chosen.has(queueId)}
          onChange={() => setChosen(chosen.symmetricDifference(new Set([queueId])))}
          onClick={(event) => event.stopPropagation()}
        />
      ),
    },
    {
      key: 'state',
      label: t('queue.state'),
      width: '104px',
      cell: (row) => <Mark kind={STATE_MARKS[stateOf(row)]}>{t(`queue.${stateOf(row)}`)}</Mark>,
    },
    {
      key: 'from',
      label: t('mail.from'),
      width: 'minmax(90px, 1fr)',
      cell: ({ from }) => (from === '' ? t('mail.system') : from),
    },
    {
      key: 'to',
      label: t('mail.to'),
      width: 'minmax(90px, 1fr)',
      cell: ({ recipients }) =>
        recipients.length > 1
          ? t('mail.andMore', { first: recipients[0]!.address, count: recipients.length - 1 })
          : recipients[0]?.address,
    },
    {
      key: 'received',
      label: t('mail.received'),
      width: '110px',
      isExtra: true,
      cell: ({ received }) => (
        <span title={dateText(language, received)}>{relativeText(language, received)}</span>
      ),
    },
    {
      key: 'status',
      label: t('queue.last'),
      width: 'minmax(90px, 1.4fr)',
      isExtra: true,
      cell: ({ recipients }) =>
        recipients.find(({ lastStatus }) => lastStatus !== undefined)?.lastStatus,
    },
    {
      key: 'size',
      label: t('mail.size'),
      width: '76px',
      isExtra: true,
      cell: ({ sizeBytes }) => sizeText(language, sizeBytes),
    },
  ]
}

/** Does an act on messages, says what came of it, and offers to take it back where that can be. */
function useActs(): (act: Act, ids: readonly string[]) => Promise<void> {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const run = async (act: Act, ids: readonly string[]): Promise<void> => {
    const done: string[] = []
    const waiting = ids.values()
    const work = async (): Promise<void> => {
      for (const id of waiting) {
        const { changed } = await ask<{ readonly changed: number }>(
          'POST',
          `/queue/${part(id)}/${act}`,
        ).catch(() => ({ changed: 0 }))
        if (changed > 0) done.push(id)
      }
    }
    await Promise.all(Array.from({ length: TOGETHER }, work))
    await client.invalidateQueries({ queryKey: ['/queue'] })
    const opposite = OPPOSITE[act]
    if (done.length > 0)
      tell({
        kind: 'done',
        text: t(`did.${act}`, { count: done.length }),
        ...(opposite !== undefined && { undo: () => void run(opposite, done) }),
      })
    if (done.length < ids.length)
      tell({ kind: 'failed', text: t('did.not', { count: ids.length - done.length }) })
  }
  return run
}
