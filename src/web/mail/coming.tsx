import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

/** What stands here until there is a webmail. */
export function Coming(): ReactNode {
  const { t } = useWords()
  return (
    <main className="coming">
      <h1>Watari 渡り</h1>
      <p>{t('coming')}</p>
      <p>
        <a href="/console">{t('console')}</a>
      </p>
    </main>
  )
}
