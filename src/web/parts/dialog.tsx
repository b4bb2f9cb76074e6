import { useEffect, useId, useRef } from 'react'
import type { ReactNode } from 'react'

/** A question above the page, in the browser's own dialog: Esc closes it, focus stays within and comes back. */
export function Dialog(props: {
  readonly title: string
  readonly isWide?: boolean
  readonly onClose: () => void
  readonly children: ReactNode
}): ReactNode {
  const id = useId()
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = element.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={element}
      className={props.isWide === true ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={id}
      onClose={props.onClose}
    >
      <h2 id={id}>{props.title}</h2>
      {props.children}
    </dialog>
  )
}
