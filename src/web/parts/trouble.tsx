import { Button } from '@mantine/core'
import type { ReactNode } from 'react'

import { useWords } from './language.ts'

import { ApiFailure } from './api.ts'

/** What happened, what it means for mail, what to do next. */
export function Trouble(props: {
  readonly error: unknown
  readonly retry?: () => void
}): ReactNode {
  const { t } = useWords()
  const { error } = props
  const failure = error instanceof ApiFailure ? error : undefined
  const isAway = failure === undefined || failure.status === 0 || failure.status >= 500
  return (
    <div className="trouble" role="alert">
      <p>
        <strong>{isAway ? t('trouble.away') : t('trouble.refused')}</strong>
      </p>
      {isAway && <p>{t('trouble.mailGoesOn')}</p>}
      {failure !== undefined && failure.message !== '' && (
        <p lang="en" className="faint">
          {failure.message}
          {failure.remedy !== '' && ` — ${failure.remedy}`}
        </p>
      )}
      {props.retry !== undefined && (
        <Button variant="default" size="sm" onClick={props.retry}>
          {t('trouble.retry')}
        </Button>
      )}
    </div>
  )
}
