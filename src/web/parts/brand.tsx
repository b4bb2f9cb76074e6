import type { ReactNode } from 'react'

import { Link } from './link.tsx'

/** The name of it all, which leads to where one begins; a telephone shows it short. */
export function Brand(props: {
  readonly to: string
  /** It is another application's page. */
  readonly isElsewhere?: boolean
}): ReactNode {
  const name = (
    <>
      Watari<span className="brand-more"> 渡り</span>
    </>
  )
  return props.isElsewhere === true ? (
    <a href={props.to} className="brand">
      {name}
    </a>
  ) : (
    <Link to={props.to} className="brand">
      {name}
    </Link>
  )
}
