import { useId, useState } from 'react'
import type { ReactNode } from 'react'

import { isComposing } from '#web/mail/keys.ts'

import { useChoosing } from './choices-room.tsx'

/** One line to type into, and what is done with it; it empties once that is done. */
export function LineForm(props: {
  readonly label: string
  readonly hint: string
  /** What the button says. */
  readonly word: string
  readonly isEmail?: boolean
  /** What is wrong with it. */
  readonly fault?: string
  /** False: it stays as it was typed; a text: that of it stays. */
  readonly done: (text: string) => Promise<boolean | string>
}): ReactNode {
  const { isBusy } = useChoosing()
  const [text, setText] = useState('')
  const id = useId()
  const line = text.normalize('NFKC').trim()
  return (
    <form
      className="line"
      onSubmit={(event) => {
        event.preventDefault()
        if (line === '') return
        void props.done(line).then((isDone) => {
          if (isDone !== false) setText(isDone === true ? '' : isDone)
        })
      }}
    >
      <input
        className="field"
        type="text"
        inputMode={props.isEmail === true ? 'email' : 'text'}
        autoCapitalize="none"
        spellCheck={false}
        value={text}
        aria-label={props.label}
        placeholder={props.hint}
        aria-invalid={props.fault !== undefined}
        aria-describedby={props.fault === undefined ? undefined : id}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          // The Enter that ends a composition sends nothing.
          if (event.key === 'Enter' && isComposing(event.nativeEvent)) event.preventDefault()
        }}
      />
      <button type="submit" className="answer" disabled={isBusy || line === ''}>
        {props.word}
      </button>
      {props.fault !== undefined && (
        <p className="line-fault" id={id} role="alert">
          ✕ {props.fault}
        </p>
      )}
    </form>
  )
}
