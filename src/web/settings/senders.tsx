import { useState } from 'react'
import type { ReactNode } from 'react'

import { isComposing } from '#web/mail/keys.ts'
import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'

/** Blocked and welcome senders. */
export function Senders(): ReactNode {
  return (
    <>
      <SenderList kind="blocked" />
      <SenderList kind="welcome" />
    </>
  )
}

function SenderList({ kind }: { readonly kind: 'blocked' | 'welcome' }): ReactNode {
  const { t } = useWords()
  const { view, set, isBusy } = useChoosing()
  const [text, setText] = useState('')
  const senders = view[kind]
  // A column of a spreadsheet, or a line: whatever stands between them.
  const wanted = text.split(/[\s,;、，；]+/).filter((each) => each !== '')
  const add = async (): Promise<void> => {
    if (wanted.length === 0) return
    const next = [...new Set([...senders, ...wanted])]
    if (await set({ [kind]: next }, t(`senders.${kind}.added`, { count: wanted.length })))
      setText('')
  }
  return (
    <section className="sheet" aria-labelledby={`${kind}-title`}>
      <h2 id={`${kind}-title`}>{t(`senders.${kind}`)}</h2>
      <p className="faint">{t(`senders.${kind}.what`)}</p>
      <form
        className="line"
        onSubmit={(event) => {
          event.preventDefault()
          void add()
        }}
      >
        <input
          className="field"
          type="text"
          value={text}
          aria-label={t('senders.new')}
          placeholder={t('senders.hint')}
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && isComposing(event.nativeEvent)) event.preventDefault()
          }}
        />
        <button type="submit" className="answer" disabled={isBusy || wanted.length === 0}>
          {t('add')}
        </button>
      </form>
      {senders.length === 0 && <p className="faint">{t('senders.none')}</p>}
      <ul className="things">
        {senders.map((sender) => (
          <li key={sender}>
            <bdi>{sender}</bdi>
            <button
              type="button"
              className="plain-button"
              disabled={isBusy}
              aria-label={t('removeOf', { name: sender })}
              onClick={() =>
                void set(
                  { [kind]: senders.filter((each) => each !== sender) },
                  t('senders.removed', { name: sender }),
                )
              }
            >
              {t('remove')}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
