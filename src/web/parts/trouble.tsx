import { Button } from '@mantine/core'
import type { ReactNode } from 'react'

import { useWords } from './language.ts'

import { ApiFailure } from './api.ts'
import { failureText, isAway } from './failure-text.ts'

/** What happened, what it means for mail, what to do next. */
export function Trouble(props: {
  readonly error: unknown
  readonly retry?: () => void
  /** What it is in the page's language; else it is told as it came. */
  readonly says?: (message: string) => string
}): ReactNode {
  const { t } = useWords()
  const { error } = props
  const failure = error instanceof ApiFailure ? error : undefined
  return (
    <div className="trouble" role="alert">
      <p>
        <strong>{failureText(t, error)}</strong>
      </p>
      {isAway(error) && <p>{t('trouble.mailGoesOn')}</p>}
      {failure !== undefined && failure.message !== '' && props.says !== undefined && (
        <p className="faint">{props.says(failure.message)}</p>
      )}
      {failure !== undefined && failure.message !== '' && props.says === undefined && (
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
