import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { CheckedDkimBody, DkimKeyBody } from '#contract/admin/dkim.ts'
import { ask, part } from '#web/parts/api.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { useNotices } from '#web/parts/notices.tsx'
import { dateText } from '#web/parts/times.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import { useAct } from './acts.ts'
import { May } from './may.tsx'

/** Keys that mail of a domain is signed by, each with the record to publish. */
export function Signing({ domain }: { readonly domain: string }): ReactNode {
  const { t } = useWords()
  const path = `/dkim/${part(domain)}`
  const found = useQuery({
    queryKey: [path],
    queryFn: () => ask<{ readonly keys: readonly DkimKeyBody[] }>('GET', path),
  })
  const act = useAct(path)
  const post = (verb: string, body: object, said: string): void =>
    void act({ work: () => ask('POST', `${path}${verb}`, { body }), text: said })
  const check = (): void => {
    let checked: CheckedDkimBody | undefined
    void act({
      work: async () => {
        checked = await ask<CheckedDkimBody>('POST', `${path}/check`, { body: {} })
      },
      text: () =>
        (checked?.keys ?? [])
          .map(({ selector, found: seen }) => `${selector}: ${t(`signing.found.${seen}`)}`)
          .join(' '),
    })
  }
  const keys = found.data?.keys ?? []
  const waits = keys.some(({ state }) => state === 'made' || state === 'published')
  const signs = keys.some(({ state }) => state === 'signing')
  return (
    <section className="signing" aria-label={t('signing.title')}>
      <h3>{t('signing.title')}</h3>
      {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      <p className="faint">{t(keys.length === 0 ? 'signing.none' : 'signing.hint')}</p>
      {keys.map((key) => (
        <Key
          key={key.selector}
          of={key}
          end={() =>
            post(
              '/retire',
              { selector: key.selector },
              t(`signing.ended.${ENDS[key.state]}`, { name: key.selector }),
            )
          }
        />
      ))}
      <May do="routing.write">
        <div className="acts">
          {!waits && !signs && (
            <Button size="compact-sm" onClick={() => post('', {}, t('signing.made'))}>
              {t('signing.create')}
            </Button>
          )}
          {keys.length > 0 && (
            <Button variant="default" size="compact-sm" onClick={check}>
              {t('signing.check')}
            </Button>
          )}
          {waits && (
            <Button size="compact-sm" onClick={() => post('/activate', {}, t('signing.activated'))}>
              {t('signing.activate')}
            </Button>
          )}
          {signs && !waits && (
            <Button
              variant="default"
              size="compact-sm"
              onClick={() => post('/rotate', {}, t('signing.made'))}
            >
              {t('signing.rotate')}
            </Button>
          )}
        </div>
      </May>
    </section>
  )
}

/** What its button does to a key of each state. */
const ENDS = { made: 'drop', published: 'drop', signing: 'retire', retired: 'forget' } as const

const MARKS = { made: 'warn', published: 'warn', signing: 'good', retired: 'plain' } as const

function Key(props: { readonly of: DkimKeyBody; readonly end: () => void }): ReactNode {
  const { t, language } = useWords()
  const { selector, algorithm, state, record, publishUntil } = props.of
  const tell = useNotices()
  const copy = (): void =>
    void navigator.clipboard.writeText(record.text).then(
      () => tell({ kind: 'done', text: t('signing.copied', { name: record.name }) }),
      () => tell({ kind: 'failed', text: t('signing.notCopied') }),
    )
  const facts: readonly (readonly [string, ReactNode])[] = [
    [t('signing.state'), <Mark kind={MARKS[state]}>{t(`signing.is.${state}`)}</Mark>],
    [t('signing.algorithm'), algorithm === 'rsa' ? 'RSA' : 'Ed25519'],
    ...(publishUntil === undefined
      ? []
      : [[t('signing.until'), dateText(language, publishUntil)] as const]),
    [t('signing.name'), <span className="code">{record.name}</span>],
    [
      t('signing.record'),
      <textarea
        className="filter record code"
        aria-label={`${t('signing.record')} ${selector}`}
        readOnly
        rows={6}
        value={record.text}
        onFocus={(event) => event.currentTarget.select()}
      />,
    ],
  ]
  return (
    <>
      <dl className="facts facts-narrow">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <May do="routing.write">
        <div className="acts">
          <Button variant="default" size="compact-sm" onClick={copy}>
            {t('signing.copy')}
          </Button>
          <Button variant="default" size="compact-sm" onClick={props.end}>
            {t(`signing.end.${ENDS[state]}`)}
          </Button>
        </div>
      </May>
    </>
  )
}
