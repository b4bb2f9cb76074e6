import { useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'

/** Takes the code that was mailed to an address elsewhere. */
export function CodeForm(): ReactNode {
  const { t } = useWords()
  const { act, isBusy } = useChoosing()
  const [code, setCode] = useState('')
  return (
    <form
      className="line"
      onSubmit={(event) => {
        event.preventDefault()
        void act({ kind: 'prove', code }, t('code.done')).then((isDone) => {
          if (isDone) setCode('')
        })
      }}
    >
      <label className="grow">
        {t('code.label')}
        <input
          className="field code"
          type="text"
          autoComplete="one-time-code"
          autoCapitalize="characters"
          spellCheck={false}
          maxLength={100}
          value={code}
          placeholder="XXXX-XXXX-XXXX"
          onChange={(event) => setCode(event.currentTarget.value)}
        />
      </label>
      <button type="submit" className="answer" disabled={isBusy || code.trim() === ''}>
        {t('code.send')}
      </button>
    </form>
  )
}
