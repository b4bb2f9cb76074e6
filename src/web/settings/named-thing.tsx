import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'

import { useChoosing } from './choices-room.tsx'

/** One of a list that can be taken out of it; `waitsUntil`: its code has not come back yet. */
export function NamedThing(props: {
  readonly name: string
  readonly waitsUntil?: string | undefined
  readonly remove: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { isBusy } = useChoosing()
  const { name, waitsUntil } = props
  return (
    <li>
      <span>
        <bdi>{name}</bdi>
        {waitsUntil !== undefined && (
          <>
            {' '}
            <span className="mark mark-warn">△ {t('code.waits')}</span>
            <span className="faint small">
              {t('code.until', { when: dateText(language, waitsUntil) })}
            </span>
          </>
        )}
      </span>
      <button
        type="button"
        className="plain-button"
        disabled={isBusy}
        aria-label={t('removeOf', { name })}
        onClick={props.remove}
      >
        {t('remove')}
      </button>
    </li>
  )
}
