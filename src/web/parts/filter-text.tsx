import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'

import { setQuery, useAddress } from './address.ts'

const SETTLED_MS = 300

/** A filter that stands in the address, and follows the typing once it pauses. */
export function FilterText(props: {
  readonly name: string
  readonly label: string
  readonly short?: string
}): ReactNode {
  const { name } = props
  const inAddress = useAddress().query.get(name) ?? ''
  const [text, setText] = useState(inAddress)
  useEffect(() => {
    if (text.trim() === inAddress) return undefined
    const timer = setTimeout(() => setQuery({ [name]: text.trim() }), SETTLED_MS)
    return () => clearTimeout(timer)
  }, [text, inAddress, name])
  return (
    <input
      type="search"
      className={props.short === undefined ? 'filter' : 'filter filter-short'}
      data-search
      aria-label={props.label}
      placeholder={props.short ?? props.label}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      spellCheck={false}
    />
  )
}
