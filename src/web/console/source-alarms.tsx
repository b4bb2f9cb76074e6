import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { SourcesBody } from '#contract/admin/sources.ts'
import { ask, part } from '#web/parts/api.ts'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'

import { useMay } from './may.tsx'
import { SourceMark } from './source-mark.tsx'

const LIVE_MS = 15_000

/** Directories that do not answer, or have lost too many at once: what their people are waits for somebody. */
export function SourceAlarms(): ReactNode {
  const { t } = useWords()
  const may = useMay()
  const found = useQuery({
    queryKey: ['/directory/sources'],
    enabled: may('people.read'),
    refetchInterval: LIVE_MS,
    queryFn: ({ signal }) =>
      ask<SourcesBody>('GET', '/directory/sources', { signal, background: true }),
  })
  const ill = (found.data?.items ?? []).filter(({ state }) => state === 'away' || state === 'held')
  if (ill.length === 0) return null
  return (
    <>
      <h2>{t('overview.sources')}</h2>
      <ul className="nodes">
        {ill.map(({ name, state, error }) => (
          <li key={name}>
            <Link to={`/console/people?tab=sources&id=${part(name)}`}>{name}</Link>{' '}
            <SourceMark state={state} />{' '}
            <span className="faint">
              {t(`overview.source.${state}`)}
              {error !== undefined && <span lang="en">{` ${error}`}</span>}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}
