import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'

import { daysLeft } from './retention.ts'

/** From so many days on, a row tells. */
const NEAR_DAYS = 7

/** How long a mail stays, where its mailbox lets it go; in rows only when that is near. */
export function DaysLeft(props: {
  readonly expiresAt: string | null | undefined
  readonly isAlways?: boolean
}): ReactNode {
  const { t, language } = useWords()
  if (typeof props.expiresAt !== 'string') return null
  const count = daysLeft(props.expiresAt, Date.now())
  if (count > NEAR_DAYS && props.isAlways !== true) return null
  const when = dateText(language, props.expiresAt)
  return (
    <span className="days-left" title={t('mail.goes', { when })}>
      {t('mail.daysLeft', { count })}
    </span>
  )
}
