import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'

/** The Sieve script that is made of the choices; it is looked at, not edited. */
export function ScriptPage(): ReactNode {
  const { t } = useWords()
  const { view } = useChoosing()
  const script = view.script.replaceAll('\r\n', '\n').trim()
  return (
    <>
      <p className="faint">{t('script.what')}</p>
      {script === '' ? (
        <p>{t('script.empty')}</p>
      ) : (
        // Who has no mouse can scroll it, too.
        <pre className="sheet script" tabIndex={0} aria-label={t('page.script')}>
          {script}
        </pre>
      )}
    </>
  )
}
