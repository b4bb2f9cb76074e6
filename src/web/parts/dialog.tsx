import { useId, useLayoutEffect, useRef } from 'react'
import type { ReactNode } from 'react'

import { useWords } from './language.ts'

/**
 * A question above the page, in the browser's own dialog: Esc closes it, focus stays within and comes
 * back. A click beside it does nothing: what was typed, or is shown but once, is not lost by a slip.
 */
export function Dialog(props: {
  readonly title: string
  readonly isWide?: boolean
  /** It has no answer of its own that closes it. */
  readonly hasClose?: boolean
  readonly onClose: () => void
  readonly children: ReactNode
}): ReactNode {
  const { t } = useWords()
  const id = useId()
  const element = useRef<HTMLDialogElement>(null)
  // Before the page loses it: one that is taken away open gives no focus back.
  useLayoutEffect(() => {
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
      {props.hasClose === true && (
        <form method="dialog" className="dialog-end">
          <button type="submit" className="plain-button">
            {t('close')}
          </button>
        </form>
      )}
    </dialog>
  )
}
