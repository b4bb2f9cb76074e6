import type { ReactNode } from 'react'

import { useWords } from './language.ts'
import { Link } from './link.tsx'

/** Parts of a page as links, since each has an address. The first is the page's own. */
export function Tabs(props: {
  readonly label: string
  readonly tabs: readonly string[]
  /** Before each name in the words. */
  readonly word: string
  readonly current: string
}): ReactNode {
  const { t } = useWords()
  return (
    <nav className="tabs" aria-label={props.label}>
      {props.tabs.map((tab, index) => (
        <Link
          key={tab}
          to={`${location.pathname}${index === 0 ? '' : `?tab=${tab}`}`}
          current={tab === props.current}
        >
          {t(`${props.word}.${tab}`)}
        </Link>
      ))}
    </nav>
  )
}
