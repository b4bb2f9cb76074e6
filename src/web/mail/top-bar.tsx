import { useEffect, useState } from 'react'
import type { ReactNode, RefObject } from 'react'

import { Brand } from '#web/parts/brand.tsx'
import { useWords } from '#web/parts/language.ts'
import { Preferences } from '#web/parts/preferences.tsx'

import type { Desk } from './desk.ts'
import { Icon, Tool } from './icons.tsx'
import { isComposing } from './keys.ts'
import { useObserved } from './observed.ts'
import { search } from './place.ts'
import type { Place } from './place.ts'

/** Name, search, and what concerns the whole. */
export function TopBar(props: {
  readonly desk: Desk
  readonly place: Place
  readonly field: RefObject<HTMLInputElement | null>
  readonly isTreeOpen: boolean
  readonly openTree: () => void
  readonly openHelp: () => void
  readonly compose: () => void
  readonly openAppPasswords: () => void
  readonly leave: () => void
}): ReactNode {
  const { t } = useWords()
  const { place, desk } = props
  useObserved(desk.live)
  const [text, setText] = useState(place.search)
  useEffect(() => setText(place.search), [place.search])
  const [me] = desk.identities
  return (
    <header className="bar">
      <button
        type="button"
        className="tool tool-icon tree-opener"
        aria-label={t('tree.title')}
        aria-expanded={props.isTreeOpen}
        onClick={props.openTree}
      >
        <Icon name="menu" />
      </button>
      <Brand to="/mail/inbox" />
      <form
        role="search"
        className="search"
        onSubmit={(event) => {
          event.preventDefault()
          search(text.trim(), place.isEverywhere)
        }}
      >
        <Icon name="search" />
        <input
          ref={props.field}
          type="search"
          value={text}
          aria-label={t('search.label')}
          placeholder={t('search.hint')}
          title={t('search.terms')}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            // Safari ends a composition before it says Enter.
            if (event.key === 'Enter' && isComposing(event.nativeEvent)) event.preventDefault()
            if (event.key !== 'Escape' || isComposing(event.nativeEvent)) return
            setText('')
            if (place.search !== '') search('', true)
          }}
        />
        {place.search !== '' && (
          <select
            aria-label={t('search.where')}
            value={place.isEverywhere ? 'all' : 'here'}
            onChange={(event) => search(place.search, event.currentTarget.value === 'all')}
          >
            <option value="all">{t('search.everywhere')}</option>
            <option value="here">{t('search.here')}</option>
          </select>
        )}
      </form>
      {!desk.isLive && (
        <span className="offline" role="status">
          {t('live.away')}
        </span>
      )}
      <Tool icon="help" word={t('help.title')} onPress={props.openHelp} isOnlyIcon shortcut="?" />
      <details className="account">
        <summary aria-label={t('account.title')}>
          <span className="face">{(me?.name || me?.email || '?').slice(0, 1).toUpperCase()}</span>
        </summary>
        <div className="account-sheet sheet">
          <p className="account-name">{me?.name}</p>
          <p className="faint account-address">{me?.email}</p>
          <Preferences />
          <a href="/settings" className="plain-button">
            {t('settings.open')}
          </a>
          <a href="/lists" className="plain-button">
            {t('account.lists')}
          </a>
          <button type="button" className="plain-button" onClick={props.openAppPasswords}>
            {t('appPasswords.open')}
          </button>
          <button type="button" className="plain-button" onClick={props.leave}>
            {t('account.leave')}
          </button>
        </div>
      </details>
      <button type="button" className="compose compose-round" onClick={props.compose}>
        <Icon name="pencil" />
        <span className="only-read">{t('letter.new')}</span>
      </button>
    </header>
  )
}
