import type { ReactNode } from 'react'

import { setQuery } from './address.ts'
import { useWords } from './language.ts'

/** The detail of a row, beside its table; `id` of the address names the row. */
export function Sheet(props: {
  readonly title: string
  readonly isCode?: boolean
  readonly children: ReactNode
}): ReactNode {
  const { t } = useWords()
  return (
    <aside className="sheet detail" aria-label={props.title}>
      <div className="detail-head">
        <h2 className={props.isCode === true ? 'code' : undefined}>{props.title}</h2>
        <button type="button" aria-label={t('close')} onClick={() => setQuery({ id: undefined })}>
          ×
        </button>
      </div>
      {props.children}
    </aside>
  )
}
