import type { TFunction } from 'i18next'
import type { ReactNode } from 'react'

import type { TraceBody } from '#contract/admin/mail.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import type { MarkKind } from '#web/parts/mark.tsx'
import { clockText, dateText, lengthText, sizeText } from '#web/parts/times.ts'
import type { Language } from '#web/parts/times.ts'

import { Corridor } from './corridor.tsx'
import type { Station, StationName } from './corridor.tsx'
import { answerOf, textOf } from './trace-story.ts'
import type { Fate, Story } from './trace-story.ts'

const FATE_MARKS: Readonly<Record<Fate, MarkKind>> = {
  filed: 'good',
  sent: 'good',
  waiting: 'warn',
  held: 'warn',
  failed: 'bad',
  dropped: 'bad',
  onItsWay: 'plain',
}

const CLASS_MARKS: Readonly<Record<string, MarkKind>> = {
  clean: 'good',
  suspected: 'warn',
  spam: 'bad',
}

/** Rows of a mail to thousands that a page shows. */
const ROWS_SHOWN_MAX = 500

/** One message: the answer, its way, the evidence, and last what the nodes wrote. */
export function Told(props: { readonly item: TraceBody; readonly story: Story }): ReactNode {
  const { t, language } = useWords()
  const { item, story } = props
  const first = story.received ?? story.refused
  return (
    <article className="told">
      <p className="answer">{sentenceOf(t, language, story)}</p>
      <Corridor
        label={t('overview.corridor')}
        stations={stationsOf({ t, language }, item, story)}
      />
      <dl className="facts">
        <Fact name={t('mail.from')}>{story.from === '<>' ? t('mail.system') : story.from}</Fact>
        <Fact name="Message-ID">{story.messageId}</Fact>
        <Fact name={t('mail.deliveryId')}>{story.deliveryId}</Fact>
        <Fact name={t('mail.received')}>{dateText(language, story.startedAt)}</Fact>
        <Fact name={t('mail.peer')}>{textOf(first, 'ip')}</Fact>
        <Fact name={t('mail.size')}>
          {first?.fields['sizeBytes'] === undefined
            ? undefined
            : sizeText(language, Number(first.fields['sizeBytes']))}
        </Fact>
      </dl>
      {story.outcomes.length > 0 && (
        <>
          <h2>{t('trace.recipients')}</h2>
          <ul className="outcomes">
            {story.outcomes.slice(0, ROWS_SHOWN_MAX).map((outcome) => (
              <li key={outcome.recipient}>
                <Mark kind={FATE_MARKS[outcome.fate]}>{t(`fate.${outcome.fate}`)}</Mark>{' '}
                <strong>{outcome.recipient}</strong> {outcome.place}{' '}
                <span className="faint">
                  {clockText(outcome.at)} {outcome.status}
                </span>
              </li>
            ))}
          </ul>
          <More count={story.outcomes.length - ROWS_SHOWN_MAX} />
        </>
      )}
      <Evidence story={story} />
      <Events item={item} />
    </article>
  )
}

function More({ count }: { readonly count: number }): ReactNode {
  const { t } = useWords()
  return count > 0 ? <p className="faint">{t('trace.more', { count })}</p> : null
}

function Fact({
  name,
  children,
}: {
  readonly name: string
  readonly children: ReactNode
}): ReactNode {
  if (children === undefined || children === '') return null
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Evidence({ story }: { readonly story: Story }): ReactNode {
  const { t } = useWords()
  const first = story.received ?? story.refused
  const verdict = textOf(first, 'class')
  if (verdict === undefined) return null
  const degraded = textOf(first, 'degraded')
  const infected = textOf(first, 'virus') === 'infected'
  return (
    <>
      <h2>{t('trace.verdict')}</h2>
      <p>
        {infected ? (
          <Mark kind="virus">{t('count.infected')}</Mark>
        ) : (
          <Mark kind={CLASS_MARKS[verdict] ?? 'plain'}>{t(`count.${verdict}`)}</Mark>
        )}{' '}
        {t('trace.score', { score: textOf(first, 'score') ?? '0' })}
        {degraded !== undefined && (
          <>
            {' '}
            <Mark kind="hatched">{t('trace.degraded', { what: degraded })}</Mark>
          </>
        )}
      </p>
      {story.evidence.length === 0 ? (
        <p className="faint">{t('trace.noRules')}</p>
      ) : (
        <table className="plain">
          <thead>
            <tr>
              <th>{t('trace.rule')}</th>
              <th className="number">{t('trace.points')}</th>
            </tr>
          </thead>
          <tbody>
            {story.evidence.map(({ rule, score }) => (
              <tr key={rule}>
                <td className="code">{rule}</td>
                <td className="number">{score}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

function Events({ item }: { readonly item: TraceBody }): ReactNode {
  const { t } = useWords()
  const all = item.events.length + (item.left ?? 0)
  return (
    <details className="events">
      <summary>{t('trace.events', { count: all })}</summary>
      <ol>
        {item.events.slice(0, ROWS_SHOWN_MAX).map((event) => (
          <li key={`${event.node} ${event.seq}`}>
            <span className="code">
              {event.at} {event.node} <strong>{event.name}</strong>
            </span>
            <div className="code faint">
              {Object.entries(event.fields)
                .filter(([, value]) => value !== null && value !== '')
                .map(([name, value]) => `${name}=${String(value)}`)
                .join('  ')}
            </div>
          </li>
        ))}
      </ol>
      <More count={all - ROWS_SHOWN_MAX} />
    </details>
  )
}

function sentenceOf(t: TFunction, language: Language, story: Story): string {
  const { key, values } = answerOf(story)
  const { at, after, ...rest } = values
  return t(key, {
    ...rest,
    ...(typeof at === 'string' && { at: dateText(language, at), clock: clockText(at) }),
    ...(typeof after === 'number' && { after: lengthText(language, after) }),
  })
}

/** The same corridor, with this message's times. */
function stationsOf(
  { t, language }: { readonly t: TFunction; readonly language: Language },
  item: TraceBody,
  story: Story,
): Record<StationName, Station> {
  const first = story.received ?? story.refused
  const verdict = textOf(first, 'class')
  const queueId = textOf(first, 'queueId')
  const isInfected = textOf(first, 'virus') === 'infected'
  const lastOf = (...names: readonly string[]) =>
    item.events.findLast(({ name }) => names.includes(name))
  const delivery = lastOf('queue.delivered', 'queue.failed', 'queue.deferred')
  const filed = lastOf('store.filed', 'store.rejected')
  const none: Station = { figure: '–', lines: [], isEmpty: true }
  const at = (iso: string, lines: Station['lines']): Station => ({ figure: clockText(iso), lines })
  const hops = [...new Set(story.outcomes.flatMap(({ nextHop }) => nextHop ?? []))]
  const mailboxes = [
    ...new Set(
      story.outcomes.filter(({ fate }) => fate === 'filed').map(({ place }) => place ?? ''),
    ),
  ]
  return {
    reception:
      first === undefined
        ? none
        : at(first.at, [{ kind: 'plain', text: textOf(first, 'door') ?? '' }]),
    verdict:
      verdict === undefined
        ? none
        : {
            figure: textOf(first, 'score') ?? '0',
            lines: [
              isInfected
                ? { kind: 'virus', text: t('count.infected') }
                : { kind: CLASS_MARKS[verdict] ?? 'plain', text: t(`count.${verdict}`) },
            ],
          },
    policy:
      first === undefined
        ? none
        : {
            figure: '',
            lines: [
              story.refused !== undefined
                ? { kind: 'bad', text: t('count.refused') }
                : first.fields['held'] === true
                  ? { kind: 'warn', text: t('count.held') }
                  : { kind: 'good', text: t('count.accepted') },
            ],
          },
    route:
      hops.length === 0
        ? none
        : { figure: '', lines: hops.map((text) => ({ kind: 'plain' as const, text })) },
    queue:
      queueId === undefined || first === undefined
        ? none
        : at(first.at, [{ kind: 'plain', text: queueId }]),
    delivery:
      delivery === undefined
        ? none
        : at(delivery.at, [
            {
              kind: FATE_MARKS[FATE_OF[delivery.name] ?? 'onItsWay'],
              text: t(`count.${delivery.name.slice('queue.'.length)}`),
            },
            {
              kind: 'plain',
              text: lengthText(language, Date.parse(delivery.at) - Date.parse(story.startedAt)),
            },
          ]),
    mailbox:
      filed === undefined
        ? none
        : at(
            filed.at,
            mailboxes.filter(Boolean).map((text) => ({ kind: 'good' as const, text })),
          ),
  }
}

const FATE_OF: Readonly<Record<string, Fate>> = {
  'queue.delivered': 'sent',
  'queue.failed': 'failed',
  'queue.deferred': 'waiting',
}
