import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { TFunction } from 'i18next'
import type { ReactNode } from 'react'

import type { OverviewBody } from '#contract/admin/overview.ts'
import type { NodeBody, StatusBody } from '#contract/admin/status.ts'
import { useWords } from '#web/parts/language.ts'
import { clockText, numberText, relativeText } from '#web/parts/times.ts'
import type { Language } from '#web/parts/times.ts'

import { ask } from '#web/parts/api.ts'
import { ClockAlarm } from './clock-alarm.tsx'
import { Corridor } from './corridor.tsx'
import type { Station, StationName } from './corridor.tsx'
import { NodeMark, isWell } from './node-mark.tsx'
import { SourceAlarms } from './source-alarms.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

const LIVE_MS = 5_000

/** The corridor with live numbers at each station. */
export function Overview(): ReactNode {
  const { t, language } = useWords()
  const live = { refetchInterval: LIVE_MS } as const
  const status = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => ask<StatusBody>('GET', '/status', { background: true, signal }),
    ...live,
  })
  const hour = useQuery({
    queryKey: ['overview'],
    queryFn: ({ signal }) => ask<OverviewBody>('GET', '/overview', { background: true, signal }),
    ...live,
  })
  const error = status.error ?? hour.error
  return (
    <>
      <h1>{t('overview.title')}</h1>
      {error !== null && <Trouble error={error} retry={() => void status.refetch()} />}
      {status.data === undefined || hour.data === undefined ? (
        error === null && <Skeleton height={220} mt={16} />
      ) : (
        <>
          <ClockAlarm clock={status.data.clock} />
          <p className="answer">{answerOf({ t, language }, status.data, hour.data)}</p>
          <Corridor
            label={t('overview.corridor')}
            stations={stationsOf({ t, language }, status.data, hour.data)}
          />
          <p className="faint">
            {t('overview.asOf', { time: clockText(hour.data.at) })}
            {hour.data.partial && ` — ${t('overview.partial')}`}
          </p>
          {status.data.eventGaps.length > 0 && (
            <p>{t('overview.gaps', { count: status.data.eventGaps.length })}</p>
          )}
          <SourceAlarms />
          <h2>{t('nodes.title')}</h2>
          <ul className="nodes">
            {status.data.nodes.map((node) => (
              <li key={node.node}>
                <strong>{node.node}</strong> <NodeMark node={node} />{' '}
                <span className="faint">{generationText(t, node, status.data.settings)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}

interface Speech {
  readonly t: TFunction
  readonly language: Language
}

function generationText(t: TFunction, node: NodeBody, inForce: StatusBody['settings']): string {
  if (node.generation === undefined) return ''
  const key = node.generation === inForce.generation ? 'node.generation' : 'node.behind'
  return t(key, { generation: node.generation })
}

function answerOf({ t, language }: Speech, status: StatusBody, hour: OverviewBody): string {
  const down = status.nodes.filter((node) => !isWell(node))
  if (down.length > 0)
    return t('overview.down', {
      names: new Intl.ListFormat(language).format(down.map(({ node }) => node)),
    })
  const { oldest, ready, held } = status.queue
  if (oldest !== undefined && ready + held > 0)
    return t(ready > 0 ? 'overview.waiting' : 'overview.held', {
      waiting: numberText(language, ready + held),
      oldest: relativeText(language, oldest, Date.parse(hour.at)),
    })
  const received = sum(hour, ({ event }) => event === 'receive.accepted')
  return received === 0 && status.clock === undefined
    ? t('overview.quiet')
    : t('overview.well', { received: numberText(language, received) })
}

type Count = OverviewBody['counts'][number]

const sum = (hour: OverviewBody, wanted: (count: Count) => boolean): number =>
  hour.counts.filter(wanted).reduce((total, { count }) => total + count, 0)

function stationsOf(
  { t, language }: Speech,
  status: StatusBody,
  hour: OverviewBody,
): Record<StationName, Station> {
  const count = (wanted: (count: Count) => boolean): number => sum(hour, wanted)
  const named = (name: string): number => count(({ event }) => event === name)
  const isJudged = (each: Count): boolean => each.class !== undefined
  const classed = (name: string): number =>
    count((each) => each.class === name && each.virus !== 'infected')
  const line = (kind: Station['lines'][number]['kind'], word: string, value: number) =>
    value === 0 ? [] : [{ kind, text: `${t(`count.${word}`)} ${numberText(language, value)}` }]
  const station = (value: number, word: string, lines: Station['lines'] = []): Station => ({
    figure: numberText(language, value),
    word: t(`count.${word}`),
    lines,
  })
  const refused = (each: Count): boolean => each.event === 'receive.refused'
  const delivered = named('queue.delivered')
  const deferred = named('queue.deferred')
  const failed = named('queue.failed')
  const { queue } = status
  return {
    reception: station(
      named('receive.accepted'),
      'accepted',
      line(
        'bad',
        'refused',
        count((each) => refused(each) && !isJudged(each)),
      ),
    ),
    verdict: station(classed('clean'), 'clean', [
      ...line('warn', 'suspected', classed('suspected')),
      ...line('bad', 'spam', classed('spam')),
      ...line(
        'virus',
        'infected',
        count((each) => each.virus === 'infected'),
      ),
    ]),
    policy: station(
      count((each) => refused(each) && isJudged(each)),
      'rejected',
      line(
        'warn',
        'held',
        count((each) => each.held === true),
      ),
    ),
    route: station(delivered + deferred + failed, 'attempts'),
    queue: {
      ...station(queue.ready, 'waiting', [
        ...line('plain', 'underWay', queue.claimed),
        ...line('warn', 'held', queue.held),
        ...(queue.oldest === undefined
          ? []
          : [
              {
                kind: 'plain' as const,
                text: t('count.oldest', {
                  time: relativeText(language, queue.oldest, Date.parse(hour.at)),
                }),
              },
            ]),
      ]),
    },
    delivery: station(delivered, 'delivered', [
      ...line('warn', 'deferred', deferred),
      ...line('bad', 'failed', failed),
    ]),
    mailbox: station(
      named('store.filed'),
      'filed',
      line('bad', 'refused', named('store.rejected')),
    ),
  }
}
