import type { ReactNode } from 'react'

import { useAddress } from './address.ts'
import { useWords } from './language.ts'
import { Link } from './link.tsx'

/** An address at which nothing is: it says so, and leads back. */
export function NotFound({ back }: { readonly back: string }): ReactNode {
  const { t } = useWords()
  const { path } = useAddress()
  return (
    <div className="not-found" role="alert">
      <title>{`${t('notFound.title')} · Watari`}</title>
      <h1>{t('notFound.title')}</h1>
      <p>
        {t('notFound.text')} <bdi className="not-found-path">{path}</bdi>
      </p>
      <p>
        <Link to={back}>{t('notFound.back')}</Link>
      </p>
    </div>
  )
}
