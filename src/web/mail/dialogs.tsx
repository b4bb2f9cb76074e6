import { useState } from 'react'
import type { ReactNode } from 'react'

import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'

import { areKeysOff, isComposing, setKeysOff } from './keys.ts'
import { inTreeOrder, mailboxPath } from './mailboxes.ts'
import type { Mailbox } from './nouns.ts'

const KEYS: readonly (readonly [keys: string, word: string])[] = [
  ['j k', 'step'],
  ['Home End', 'ends'],
  ['Enter', 'open'],
  ['Esc', 'back'],
  ['c', 'compose'],
  ['r', 'reply'],
  ['a', 'replyAll'],
  ['e', 'archive'],
  ['#', 'remove'],
  ['!', 'junk'],
  ['v', 'move'],
  ['u', 'unread'],
  ['s', 'star'],
  ['x', 'select'],
  ['z', 'undo'],
  ['/', 'search'],
  ['Ctrl Enter', 'send'],
  ['?', 'help'],
]

export function HelpDialog(props: { readonly close: () => void }): ReactNode {
  const { t } = useWords()
  const [isOff, setOff] = useState(areKeysOff())
  return (
    <Dialog title={t('help.title')} hasClose onClose={props.close}>
      <dl className="keys">
        {KEYS.map(([keys, word]) => (
          <div key={word}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(`key.${word}`)}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input
          type="checkbox"
          checked={!isOff}
          onChange={(event) => {
            setOff(!event.currentTarget.checked)
            setKeysOff(!event.currentTarget.checked)
          }}
        />
        {t('help.keysOn')}
      </label>
      <p className="faint">{t('search.terms')}</p>
    </Dialog>
  )
}

/** Where to: typed, or chosen with the arrows. */
export function MoveDialog(props: {
  readonly mailboxes: readonly Mailbox[]
  readonly count: number
  readonly close: () => void
  readonly choose: (to: Mailbox) => void
}): ReactNode {
  const { t } = useWords()
  const [text, setText] = useState('')
  const fold = (each: string): string => each.normalize('NFKC').toLowerCase()
  const found = inTreeOrder(props.mailboxes)
    .filter(({ mailbox }) => mailbox.myRights.mayAddItems)
    .map(({ mailbox }) => ({ mailbox, path: mailboxPath(t, mailbox, props.mailboxes) }))
    // By what it is called here, or by its name in other programs.
    .filter(({ mailbox, path }) =>
      [path, mailbox.name].some((each) => fold(each).includes(fold(text.trim()))),
    )
  const choose = (to: Mailbox): void => {
    props.close()
    props.choose(to)
  }
  return (
    <Dialog title={t('move.title', { count: props.count })} hasClose onClose={props.close}>
      <input
        className="field"
        type="text"
        autoFocus
        value={text}
        aria-label={t('move.filter')}
        placeholder={t('move.filter')}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || isComposing(event.nativeEvent)) return
          event.preventDefault()
          if (found[0] !== undefined) choose(found[0].mailbox)
        }}
      />
      <ul className="choices">
        {found.map(({ mailbox, path }) => (
          <li key={mailbox.id}>
            <button type="button" onClick={() => choose(mailbox)}>
              {path}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

/** What cannot be undone is said first. */
export function DestroyDialog(props: {
  readonly count: number
  readonly close: () => void
  readonly destroy: () => void
}): ReactNode {
  const { t } = useWords()
  return (
    <Dialog title={t('destroy.title', { count: props.count })} hasClose onClose={props.close}>
      <p>{t('destroy.what')}</p>
      <button
        type="button"
        className="danger"
        onClick={() => {
          props.close()
          props.destroy()
        }}
      >
        {t('destroy.yes', { count: props.count })}
      </button>
    </Dialog>
  )
}
