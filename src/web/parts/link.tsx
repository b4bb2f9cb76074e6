import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'

import { go } from './address.ts'

/** A link inside the application: a plain click stays in the page, all others are the browser's. */
export function Link(props: {
  readonly to: string
  readonly children: ReactNode
  readonly className?: string
  readonly current?: boolean
  /** The key that does the same. */
  readonly shortcut?: string
}): ReactNode {
  const element = useRef<HTMLAnchorElement>(null)
  const isCurrent = props.current === true
  useEffect(() => {
    // On a phone a row of links is wider than the screen.
    if (isCurrent) element.current?.scrollIntoView({ inline: 'center', block: 'nearest' })
  }, [isCurrent])
  return (
    <a
      ref={element}
      href={props.to}
      className={props.className}
      aria-current={isCurrent ? 'page' : undefined}
      aria-keyshortcuts={props.shortcut}
      title={props.shortcut}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        go(props.to)
      }}
    >
      {props.children}
    </a>
  )
}
