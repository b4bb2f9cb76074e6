import { useEffect, useId, useRef, useState } from 'react'
import type { KeyboardEvent, ReactNode } from 'react'

import { isComposing } from '#web/mail/keys.ts'
import type { MailClient } from '#web/mail/client.ts'
import { useWords } from '#web/parts/language.ts'

import { NumberedText } from './numbered-text.tsx'
import type { NumberedTextHandle } from './numbered-text.tsx'
import { testScript } from './own-scripts.ts'
import type { LineNote } from './own-scripts.ts'
import { Said } from './said.tsx'
import { ScriptTrial } from './script-trial.tsx'

export interface Draft {
  readonly name: string
  readonly text: string
}

/** After so long without a key it is checked. */
const CHECK_MS = 500
const NAME_LENGTH_MAX = 128
const NO_NOTES = { errors: [], warnings: [] }

/** One script being written: checked as it is typed, tried before it is kept. */
export function ScriptEditor(props: {
  readonly client: MailClient
  readonly script: Draft
  readonly isActive: boolean
  readonly isBusy: boolean
  readonly close: () => void
  readonly save: (draft: Draft) => Promise<void>
}): ReactNode {
  const { t } = useWords()
  const id = useId()
  const { client, script } = props
  const [draft, setDraft] = useState(script)
  const [isAsked, setAsked] = useState(false)
  const name = useRef<HTMLInputElement>(null)
  const lines = useRef<NumberedTextHandle>(null)
  const { errors, warnings } = useCheck(client, draft.text)
  const isChanged = draft.name !== script.name || draft.text !== script.text
  useEffect(() => name.current?.focus(), [])
  useEffect(() => {
    if (!isChanged) return undefined
    const stay = (event: BeforeUnloadEvent): void => event.preventDefault()
    addEventListener('beforeunload', stay)
    return () => removeEventListener('beforeunload', stay)
  }, [isChanged])
  const save = (): void => void props.save({ ...draft, name: draft.name.trim() })
  const canSave = !props.isBusy && isChanged && draft.name.trim() !== '' && errors.length === 0
  const keys = (event: KeyboardEvent): void => {
    if (isComposing(event.nativeEvent)) {
      if (event.key === 'Enter' && event.target === name.current) event.preventDefault()
    } else if (event.key === 's' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      if (canSave) save()
    }
  }
  const notes = [
    ...errors.map((note) => ({ ...note, kind: 'bad' as const })),
    ...warnings.map((note) => ({ ...note, kind: 'warn' as const })),
  ]
  return (
    <form
      className="sheet form script-editor"
      onKeyDown={keys}
      onSubmit={(event) => {
        event.preventDefault()
        if (canSave) save()
      }}
    >
      <label>
        {t('scripts.name')}
        <input
          ref={name}
          className="field"
          type="text"
          required
          maxLength={NAME_LENGTH_MAX}
          value={draft.name}
          onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
        />
      </label>
      <div className="stacked">
        <label htmlFor={`${id}-text`}>{t('scripts.text')}</label>
        <NumberedText
          id={`${id}-text`}
          handle={lines}
          value={draft.text}
          change={(text) => setDraft({ ...draft, text })}
          marks={new Map(notes.toReversed().map(({ line, kind }) => [line, kind]))}
          describedBy={`${id}-notes`}
          isWrong={errors.length > 0}
        />
      </div>
      <div id={`${id}-notes`} role="status" className="script-notes">
        {errors.length > 0 && (
          <p className="mark mark-bad">✕ {t('scripts.wrong', { count: errors.length })}</p>
        )}
        {errors.length === 0 && warnings.length === 0 && (
          <p className="mark mark-good">○ {t('scripts.right')}</p>
        )}
        {errors.length === 0 && warnings.length > 0 && (
          <p className="mark mark-warn">△ {t('scripts.hardly', { count: warnings.length })}</p>
        )}
        <ul>
          {notes.map(({ line, message, kind }, at) => (
            <li key={at}>
              <button
                type="button"
                className={`line-note ${kind}`}
                onClick={() => lines.current?.goTo(line)}
              >
                {t('scripts.line', { line })}
              </button>{' '}
              <Said message={message} />
            </li>
          ))}
        </ul>
      </div>
      {props.isActive && isChanged && <p className="faint small">{t('scripts.takesEffect')}</p>}
      <ScriptTrial client={client} text={draft.text} canTry={errors.length === 0} />
      {isAsked && (
        <p role="alert">
          {t('scripts.unsaved')}{' '}
          <button type="button" className="danger" onClick={props.close}>
            {t('scripts.discard')}
          </button>
        </p>
      )}
      <div className="line-end">
        <button
          type="button"
          className="plain-button"
          onClick={() => (isChanged && !isAsked ? setAsked(true) : props.close())}
        >
          {t('close')}
        </button>
        <button type="submit" className="answer answer-main" disabled={!canSave}>
          {t('save')}
        </button>
      </div>
    </form>
  )
}

/** What the server says of the text as it is, a little after the last key. */
function useCheck(
  client: MailClient,
  text: string,
): { readonly errors: readonly LineNote[]; readonly warnings: readonly LineNote[] } {
  const [notes, setNotes] = useState<{
    readonly errors: readonly LineNote[]
    readonly warnings: readonly LineNote[]
  }>(NO_NOTES)
  useEffect(() => {
    let isOver = false
    const timer = setTimeout(() => {
      testScript(client, text).then(
        (found) => {
          if (!isOver) setNotes(found)
        },
        // Whoever saves hears of it.
        () => undefined,
      )
    }, CHECK_MS)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [client, text])
  return notes
}
