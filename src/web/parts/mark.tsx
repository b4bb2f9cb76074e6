import type { ReactNode } from 'react'

/** What a state means, with the shape that says the same without colour. */
export const MARKS = {
  good: '○',
  warn: '△',
  bad: '✕',
  virus: '☣',
  hatched: '▒',
  plain: '',
} as const
export type MarkKind = keyof typeof MARKS

/** A state in a word, a shape and a colour. */
export function Mark(props: { readonly kind: MarkKind; readonly children: ReactNode }): ReactNode {
  return (
    <span className={`mark mark-${props.kind}`}>
      {props.kind !== 'plain' && <span aria-hidden="true">{MARKS[props.kind]} </span>}
      {props.children}
    </span>
  )
}
