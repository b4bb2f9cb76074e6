import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { GenerationDetailBody, SettingChangeBody } from '#contract/admin/settings.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'

import { ask, queryOf } from '#web/parts/api.ts'
import { Changes } from './changes.tsx'
import { Rollback } from './rollback.tsx'
import { Sheet } from '#web/parts/sheet.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

/** One generation: who made it and what it changed; how it differs from any other; the way back to it. */
export function GenerationDetail(props: {
  readonly number: number
  readonly inForce: number
}): ReactNode {
  const { t, language } = useWords()
  const { number, inForce } = props
  const [isGoingBack, setGoingBack] = useState(false)
  const found = useQuery({
    queryKey: ['generation', number],
    queryFn: ({ signal }) =>
      ask<GenerationDetailBody>('GET', `/settings/history/${number}`, { signal }),
    retry: false,
  })
  const row = found.data
  return (
    <Sheet title={t('history.generation', { generation: number })}>
      {found.error !== null && <Trouble error={found.error} />}
      {row !== undefined && (
        <>
          <p className="faint">
            {number === 0
              ? t('history.defaults')
              : `${dateText(language, row.at)} · ${row.who} (${row.from})`}
          </p>
          {row.note !== '' && number > 0 && <p>{row.note}</p>}
          {number > 0 && <Changes changes={row.changes} />}
          <Against number={number} inForce={inForce} />
          {number === inForce ? (
            <p className="faint">{t('history.inForce')}</p>
          ) : (
            <div className="acts">
              <Button variant="default" size="compact-sm" onClick={() => setGoingBack(true)}>
                {t('history.back')}
              </Button>
            </div>
          )}
        </>
      )}
      {isGoingBack && <Rollback from={inForce} to={number} onClose={() => setGoingBack(false)} />}
    </Sheet>
  )
}

/** What differs from another generation; which one stands in the address. */
function Against(props: { readonly number: number; readonly inForce: number }): ReactNode {
  const { t } = useWords()
  const { number, inForce } = props
  const text = useAddress().query.get('against') ?? ''
  const other = /^\d{1,9}$/.test(text) ? Number(text) : undefined
  const diff = useQuery({
    queryKey: ['diff', number, other],
    queryFn: ({ signal }) =>
      ask<{ readonly items: readonly SettingChangeBody[] }>(
        'GET',
        `/settings/diff${queryOf({ from: number, to: other })}`,
        { signal },
      ),
    enabled: other !== undefined,
    retry: false,
  })
  return (
    <section>
      <h3>{t('history.diff')}</h3>
      <div className="acts">
        <label>
          {t('history.against')}{' '}
          <input
            className="filter number-field"
            inputMode="numeric"
            value={text}
            onChange={(event) => setQuery({ against: event.currentTarget.value.trim() })}
          />
        </label>
        {number !== inForce && (
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => setQuery({ against: String(inForce) })}
          >
            {t('history.againstNow')}
          </Button>
        )}
      </div>
      {diff.error !== null && <Trouble error={diff.error} />}
      {diff.data !== undefined && <Changes changes={diff.data.items} />}
    </section>
  )
}
