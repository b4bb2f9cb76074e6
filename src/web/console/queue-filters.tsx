import type { ReactNode } from 'react'

import { setQuery, useAddress } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'

import { FilterText } from '#web/parts/filter-text.tsx'
import type { Query } from '#web/parts/rows-of.ts'

const STATES = ['ready', 'claimed', 'held', 'failed', 'delivered', 'dropped'] as const

/** Ages that administrators ask for, in the address as the API's hours. */
const HOUR_MS = 3_600_000
const AGES = { hour: 1, hours4: 4, day: 24, days3: 72 } as const
type Age = keyof typeof AGES

/** What of the queue is shown, as it stands in the address; `nowMs` is when the page began to look. */
export function queueQuery(query: URLSearchParams, nowMs: number): Query {
  const get = (name: string): string | undefined => query.get(name) ?? undefined
  const age = get('age')
  const hours = age !== undefined && Object.hasOwn(AGES, age) ? AGES[age as Age] : undefined
  return {
    state: get('state'),
    domain: get('domain'),
    text: get('text') ?? get('address'),
    ...(hours !== undefined && { before: new Date(nowMs - hours * HOUR_MS).toISOString() }),
  }
}

export function QueueFilters(): ReactNode {
  const { t } = useWords()
  const { query } = useAddress()
  const choice = (name: string, first: string, choices: readonly (readonly [string, string])[]) => (
    <select
      aria-label={t(`queue.${name}`)}
      value={query.get(name) ?? ''}
      onChange={(event) => setQuery({ [name]: event.currentTarget.value })}
    >
      <option value="">{first}</option>
      {choices.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  )
  return (
    <>
      {choice(
        'state',
        t('queue.all'),
        STATES.map((each) => [each, t(`queue.${each}`)] as const),
      )}
      {choice(
        'age',
        t('queue.anyAge'),
        Object.keys(AGES).map((each) => [each, t(`age.${each}`)] as const),
      )}
      <FilterText name="domain" label={t('queue.domain')} short={t('queue.domainShort')} />
      <FilterText name="text" label={t('queue.text')} short={t('queue.textShort')} />
      {choice('order', t('queue.oldest'), [['newest', t('queue.newest')]])}
    </>
  )
}
