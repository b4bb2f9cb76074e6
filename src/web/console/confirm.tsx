import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'

/** Before what cannot be taken back: says what will happen, and asks for the number or name. */
export function Confirm(props: {
  readonly title: string
  readonly text: string
  readonly ask: string
  /** What has to be typed. */
  readonly word: string
  readonly action: string
  readonly onConfirm: () => void
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const [typed, setTyped] = useState('')
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (typed.trim() === props.word) props.onConfirm()
        }}
      >
        <p>{props.text}</p>
        <TextInput
          label={props.ask}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
        />
        <div className="acts">
          <Button type="submit" color="red.9" disabled={typed.trim() !== props.word}>
            {props.action}
          </Button>
          <Button variant="default" onClick={props.onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
