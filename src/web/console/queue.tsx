import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { QueueMessageBody, QueueNewsBody } from '#contract/admin/mail.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { numberText } from '#web/parts/times.ts'

import { ask, part, queryOf } from '#web/parts/api.ts'
import { Confirm } from './confirm.tsx'
import { May } from './may.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { useQueueActs } from './queue-acts.ts'
import { useQueueColumns } from './queue-columns.tsx'
import { MailDetail } from './queue-detail.tsx'
import { QueueFilters, queueQuery } from './queue-filters.tsx'
import { useRows } from '#web/parts/rows-of.ts'
import type { Query } from '#web/parts/rows-of.ts'
import { TableTools, useColumns } from './table-tools.tsx'

const REFRESH_MS = 10_000
const LIVE = {
  keyOf: ({ queueId }: QueueMessageBody): string => queueId,
  everyMs: REFRESH_MS,
} as const

/** What waits in all nodes' queues, and the acts on it. */
export function Queue(): ReactNode {
  const { t } = useWords()
  const { query } = useAddress()
  const { filter, mark, news, lookAgain, error } = useMark(query)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [dropping, setDropping] = useState<readonly string[]>([])
  const all = useQueueColumns(chosen, setChosen)
  const columns = useColumns('queue', all)
  const asked = { ...filter, order: query.get('order') ?? undefined, until: mark }
  const list = useRows<QueueMessageBody>('/queue', asked, {
    live: LIVE,
    enabled: mark !== undefined,
  })
  const act = useQueueActs()
  const open = query.get('id')
  const bar = (ids: readonly string[]): ReactNode => (
    <May do="queue.act">
      {(['hold', 'release', 'retry'] as const).map((each) => (
        <Button key={each} variant="default" size="compact-sm" onClick={() => void act(each, ids)}>
          {t(`act.${each}`)}
        </Button>
      ))}
      <Button color="red.9" size="compact-sm" onClick={() => setDropping(ids)}>
        {t('act.drop')}
      </Button>
    </May>
  )
  const isFiltered = Object.values(filter).some((each) => each !== undefined)
  return (
    <div className="page-full">
      <div className="head">
        <h1>{t('queue.title')}</h1>
        <News news={news} onShow={lookAgain} />
        <TableTools table="queue" all={all} columns={columns} path="/queue" query={asked} />
      </div>
      <div className="filters">
        <QueueFilters />
        {chosen.size > 0 && (
          <div
            className="bulk"
            role="toolbar"
            aria-label={t('queue.chosen', { count: chosen.size })}
          >
            <span>{t('queue.chosen', { count: chosen.size })}</span>
            {bar([...chosen])}
            <Button variant="subtle" size="compact-sm" onClick={() => setChosen(new Set())}>
              {t('queue.chooseNone')}
            </Button>
          </div>
        )}
      </div>
      <Silent nodes={list.unreachable.map(({ node }) => node)} />
      <PageTable
        label={t('queue.title')}
        list={error === null ? list : { ...list, error, isLoading: false }}
        columns={columns.shown}
        keyOf={({ queueId }) => queueId}
        opened={open ?? undefined}
        onOpen={({ queueId }) => setQuery({ id: queueId })}
        chosen={chosen}
        onChoose={setChosen}
        empty={t(isFiltered ? 'queue.none' : 'queue.empty')}
        detail={open !== null && <OpenMail key={open} id={open} bar={bar([open])} />}
      />
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

/** Where the queues ended when the page began to look, and what has come since: rows do not move by themselves. */
function useMark(query: URLSearchParams) {
  const [began, setBegan] = useState(() => Date.now())
  const filter: Query = queueQuery(query, began)
  const first = useQuery({
    queryKey: ['queue-mark', began],
    queryFn: ({ signal }) => ask<QueueNewsBody>('GET', '/queue/news', { signal }),
    staleTime: Infinity,
    gcTime: 0,
  })
  const mark = first.data?.mark
  const news = useQuery({
    queryKey: ['queue-news', filter, mark],
    queryFn: ({ signal }) =>
      ask<QueueNewsBody>('GET', `/queue/news${queryOf({ ...filter, since: mark })}`, {
        background: true,
        signal,
      }),
    enabled: mark !== undefined,
    refetchInterval: REFRESH_MS,
    gcTime: 0,
  })
  return {
    filter,
    mark,
    news: news.data,
    lookAgain: () => setBegan(Date.now()),
    error: first.error,
  }
}

/** Says how much is new, and shows it when it is asked for. */
function News(props: {
  readonly news: QueueNewsBody | undefined
  readonly onShow: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { news, onShow } = props
  const count = news?.count ?? 0
  return (
    <div role="status" aria-live="polite">
      {count > 0 && (
        <Button size="compact-sm" variant="light" color="indigo.9" onClick={onShow}>
          {t(news?.isMore === true ? 'queue.moreNew' : 'queue.new', {
            count,
            number: numberText(language, count),
          })}
        </Button>
      )}
    </div>
  )
}

function Silent({ nodes }: { readonly nodes: readonly string[] }): ReactNode {
  const { t, language } = useWords()
  if (nodes.length === 0) return null
  return (
    <p role="alert">
      <Mark kind="bad">
        {t('queue.unreachable', { names: new Intl.ListFormat(language).format(nodes) })}
      </Mark>
    </p>
  )
}

/** The message that the address names, wherever in the list it stands. */
function OpenMail({ id, bar }: { readonly id: string; readonly bar: ReactNode }): ReactNode {
  const { t } = useWords()
  const found = useQuery({
    queryKey: ['/queue', 'one', id],
    queryFn: ({ signal }) =>
      ask<QueueMessageBody>('GET', `/queue/${part(id)}`, { signal, background: true }),
    refetchInterval: REFRESH_MS,
    retry: false,
  })
  if (found.data === undefined && found.error === null) return null
  return (
    <MailDetail
      id={id}
      message={found.error === null ? found.data : undefined}
      missing={t('queue.gone')}
      acts={bar}
    />
  )
}
