import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import { Icon } from './icons.tsx'
import { useObserved } from './observed.ts'
import type { Telling } from './told.ts'

/** What was just done, with the way back. */
export function TellingBar(props: { readonly telling: Telling }): ReactNode {
  const { t } = useWords()
  const { told } = useObserved(props.telling)
  return (
    <div className="telling" role="status" aria-live="polite">
      {told !== undefined && (
        <div className={told.isTrouble === true ? 'told told-trouble' : 'told'}>
          <span>{told.text}</span>
          {told.undo !== undefined && (
            <button type="button" className="told-undo" onClick={() => props.telling.undo()}>
              {t('undo')}
            </button>
          )}
          <button
            type="button"
            className="told-close"
            aria-label={t('close')}
            onClick={() => props.telling.forget()}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  )
}
