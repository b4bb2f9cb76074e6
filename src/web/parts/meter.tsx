import type { ReactNode } from 'react'

import type { FullestLimit } from './fullness.ts'
import { useWords } from './language.ts'
import { Mark } from './mark.tsx'
import { storageText } from './storage.ts'
import { numberText } from './times.ts'

/** How much of a limit is used: a bar, and the same in words. */
export function Meter({ found }: { readonly found: FullestLimit }): ReactNode {
  const { t, language } = useWords()
  const { used, limit, isOctets, fullness, percent } = found
  const shown = (value: number): string =>
    isOctets ? storageText(language, value) : numberText(language, value)
  const text = t(isOctets ? 'meter.octets' : 'meter.mails', {
    used: shown(used),
    limit: shown(limit),
  })
  return (
    <div className={`meter meter-${fullness}`}>
      <div
        role="meter"
        className="meter-bar"
        aria-label={t('meter.title')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={text}
      >
        <span style={{ width: `${percent}%` }} />
      </div>
      <span className="meter-text">
        {text}
        {fullness !== 'free' && (
          <Mark kind={fullness === 'full' ? 'bad' : 'warn'}>{t(`meter.${fullness}`)}</Mark>
        )}
      </span>
    </div>
  )
}
