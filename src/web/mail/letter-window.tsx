import { useEffect, useId, useRef, useState } from 'react'
import type { KeyboardEvent, ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import type { Desk } from './desk.ts'
import { Icon, Tool } from './icons.tsx'
import { isComposing } from './keys.ts'
import type { Letters, Open } from './letters.ts'
import { useObserved } from './observed.ts'
import { personText } from './nouns.ts'

/** The letter that is being written, at the bottom right; all of the screen on a phone. */
export function LetterWindow(props: { readonly desk: Desk; readonly letters: Letters }): ReactNode {
  const letters = useObserved(props.letters)
  const { open } = letters
  if (open === undefined) return null
  return <LetterForm key={open.messageId} desk={props.desk} letters={letters} letter={open} />
}

function LetterForm(props: {
  readonly desk: Desk
  readonly letters: Letters
  readonly letter: Open
}): ReactNode {
  const { t } = useWords()
  const { desk, letters, letter } = props
  const [hasCopies, setCopies] = useState(letter.cc !== '' || letter.bcc !== '')
  const [objection, setObjection] = useState<string>()
  const to = useRef<HTMLInputElement>(null)
  const text = useRef<HTMLTextAreaElement>(null)
  const isAnswer = useRef(letter.to !== '')
  useEffect(() => {
    if (!isAnswer.current) return to.current?.focus()
    text.current?.focus()
    text.current?.setSelectionRange(0, 0)
  }, [])
  const send = (): void => {
    const found = letters.objection()
    if (found !== undefined) return setObjection(t(`letter.${found.kind}`, { names: found.names }))
    letters.send()
  }
  /** Enter sends with Ctrl alone, and never while a word is being chosen. */
  const press = (event: KeyboardEvent): void => {
    if (isComposing(event.nativeEvent)) return
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      send()
    }
    if (event.key === 'Escape') {
      event.preventDefault()
      letters.close()
    }
  }
  const field = (name: 'to' | 'cc' | 'bcc' | 'subject', ref?: typeof to): ReactNode => (
    <LetterField
      word={t(`letter.${name}`)}
      value={letter[name]}
      isAddress={name !== 'subject'}
      {...(ref !== undefined && { field: ref })}
      change={(value) => letters.change({ [name]: value })}
    />
  )
  return (
    <section className="letter-window" aria-label={t('letter.title')} onKeyDown={press}>
      <div className="letter-top">
        <h2>{t(isAnswer.current ? 'letter.answer' : 'letter.new')}</h2>
        <span className="letter-state" role="status">
          {letters.state === 'none' || letters.state === 'typing'
            ? ''
            : t(`letter.state.${letters.state}`)}
        </span>
        <Tool
          icon="close"
          word={t('letter.close')}
          onPress={() => letters.close()}
          isOnlyIcon
          shortcut="Esc"
        />
      </div>
      {desk.identities.length > 1 && (
        <label className="letter-field">
          <span>{t('letter.from')}</span>
          <select
            value={letter.identityId}
            onChange={(event) => letters.change({ identityId: event.currentTarget.value })}
          >
            {desk.identities.map((each) => (
              <option key={each.id} value={each.id}>
                {personText(each)}
              </option>
            ))}
          </select>
        </label>
      )}
      <div className="letter-to">
        {field('to', to)}
        {!hasCopies && (
          <button type="button" className="more-copies" onClick={() => setCopies(true)}>
            {t('letter.copies')}
          </button>
        )}
      </div>
      {hasCopies && (
        <>
          {field('cc')}
          {field('bcc')}
        </>
      )}
      {field('subject')}
      <textarea
        ref={text}
        className="letter-text"
        aria-label={t('letter.text')}
        value={letter.text}
        onChange={(event) => letters.change({ text: event.currentTarget.value })}
      />
      {objection !== undefined && (
        <p className="said-no letter-objection" role="alert">
          {objection}
        </p>
      )}
      <div className="letter-bottom">
        <button type="button" className="compose send" onClick={send} title="Ctrl+Enter">
          <Icon name="send" />
          {t('letter.send')}
        </button>
        <Tool
          icon="trash"
          word={t('letter.discard')}
          onPress={() => letters.discard()}
          isOnlyIcon
        />
      </div>
    </section>
  )
}

function LetterField(props: {
  readonly word: string
  readonly value: string
  readonly isAddress: boolean
  readonly field?: React.RefObject<HTMLInputElement | null>
  readonly change: (value: string) => void
}): ReactNode {
  const id = useId()
  return (
    <div className="letter-field">
      <label htmlFor={id}>{props.word}</label>
      <input
        id={id}
        ref={props.field}
        type="text"
        value={props.value}
        autoComplete="off"
        autoCapitalize={props.isAddress ? 'none' : 'sentences'}
        spellCheck={!props.isAddress}
        inputMode={props.isAddress ? 'email' : 'text'}
        onChange={(event) => props.change(event.currentTarget.value)}
      />
    </div>
  )
}
