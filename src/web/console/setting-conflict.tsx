import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { GenerationBody, SettingChangeBody } from '#contract/admin/settings.ts'
import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'

import { ask, queryOf } from '#web/parts/api.ts'
import { Changes } from './changes.tsx'

/** Somebody else has changed the settings since they were read: who, what, and whether to go on. */
export function SettingConflict(props: {
  /** The generation that the editor has seen. */
  readonly since: number
  readonly types: ReadonlyMap<string, string>
  readonly onAgain: (generation: number) => void
}): ReactNode {
  const { t, language } = useWords()
  const { since } = props
  const theirs = useQuery({
    queryKey: ['conflict', since],
    queryFn: async () => {
      const history = await ask<{ readonly items: readonly GenerationBody[] }>(
        'GET',
        '/settings/history?limit=1',
      )
      const latest = history.items[0]!
      const { items } = await ask<{ readonly items: readonly SettingChangeBody[] }>(
        'GET',
        `/settings/diff${queryOf({ from: since, to: latest.generation })}`,
      )
      return { latest, items }
    },
    staleTime: 0,
  })
  if (theirs.data === undefined) return null
  const { latest, items } = theirs.data
  return (
    <div className="trouble" role="alert">
      <p>
        <strong>
          {t('conflict.text', { who: latest.who, at: dateText(language, latest.at) })}
        </strong>
      </p>
      <Changes changes={items} types={props.types} />
      <div className="acts">
        <Button color="red.9" onClick={() => props.onAgain(latest.generation)}>
          {t('conflict.again')}
        </Button>
      </div>
    </div>
  )
}
