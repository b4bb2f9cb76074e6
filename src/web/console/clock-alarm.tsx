import { Button } from '@mantine/core'
import type { ReactNode } from 'react'

import type { StatusBody } from '#contract/admin/status.ts'
import { ask } from '#web/parts/api.ts'
import { useWords } from '#web/parts/language.ts'
import { dateText, numberText } from '#web/parts/times.ts'

import { useAct } from './acts.ts'
import { May } from './may.tsx'

/** Control's clock cannot follow on the last time that was known: nobody but a person knows whether it is right. */
export function ClockAlarm({ clock }: { readonly clock: StatusBody['clock'] }): ReactNode {
  const { t, language } = useWords()
  const act = useAct('status', '/users', '/directory/plans')
  if (clock === undefined) return null
  const { now, today, aheadDays } = clock
  const days = numberText(language, Math.abs(aheadDays))
  const accept = (): Promise<boolean> =>
    act({
      work: () => ask('POST', '/directory/upkeep', { body: { acceptClock: true } }),
      text: t('clock.accepted'),
    })
  return (
    <section className="trouble" role="alert">
      <p>
        <strong>{t('clock.title')}</strong>
      </p>
      <p>
        {t(aheadDays > 0 ? 'clock.ahead' : 'clock.behind', {
          now: dateText(language, now),
          days,
          count: Math.abs(aheadDays),
        })}{' '}
        {t('clock.held', { today })}
      </p>
      <p className="faint">{t('clock.remedy')}</p>
      <May do="people.write">
        <Button onClick={() => void accept()}>{t('clock.accept')}</Button>
      </May>
    </section>
  )
}
