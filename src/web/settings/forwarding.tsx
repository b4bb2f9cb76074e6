import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'

import { isComposing } from '#web/mail/keys.ts'
import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'

import { useChoosing } from './choices-room.tsx'
import { CodeForm } from './code-form.tsx'

/** Where mail is sent on to; an address elsewhere counts once its code has come back. */
export function Forwarding(): ReactNode {
  const { t, language } = useWords()
  const { view, act, isBusy } = useChoosing()
  const { forward, forwarding } = view
  const awaited = view.awaited.filter(({ use }) => use === 'forward')
  const [address, setAddress] = useState('')
  const [keep, setKeep] = useState(forward?.keep ?? true)
  useEffect(() => setKeep(forward?.keep ?? true), [forward?.keep])
  const to = forward?.to ?? []
  const all = [...to, ...awaited.map((each) => each.address)]
  const say = (next: readonly string[], keeps: boolean, done: string): Promise<boolean> =>
    act({ kind: 'forward', to: [...next], keep: keeps }, done)
  const add = async (): Promise<void> => {
    const next = address.normalize('NFKC').trim()
    if (next === '') return
    const isHere = view.domains.some((domain) => next.toLowerCase().endsWith(`@${domain}`))
    const done = t(isHere ? 'forwarding.added' : 'forwarding.asked', { address: next })
    if (await say([...all, next], keep, done)) setAddress('')
  }
  const state =
    to.length === 0
      ? t('forwarding.off')
      : t(forward?.keep === true ? 'forwarding.onKeep' : 'forwarding.on', { to: to.join(', ') })
  return (
    <>
      <p className="state">{state}</p>
      {to.length > 0 && forward?.keep === false && view.vacation?.isOn === true && (
        <p className="mark mark-warn wide-mark">△ {t('forwarding.noVacation')}</p>
      )}
      {all.length > 0 && (
        <section className="sheet">
          <ul className="things">
            {to.map((each) => (
              <li key={each}>
                <bdi>{each}</bdi>
                <button
                  type="button"
                  className="plain-button"
                  disabled={isBusy}
                  aria-label={t('removeOf', { name: each })}
                  onClick={() =>
                    void say(
                      all.filter((other) => other !== each),
                      keep,
                      t('forwarding.removed', { address: each }),
                    )
                  }
                >
                  {t('remove')}
                </button>
              </li>
            ))}
            {awaited.map((each) => (
              <li key={each.address}>
                <span>
                  <bdi>{each.address}</bdi>{' '}
                  <span className="mark mark-warn">△ {t('forwarding.waits')}</span>
                  <span className="faint small">
                    {t('forwarding.until', { when: dateText(language, each.expiresAt) })}
                  </span>
                </span>
                <button
                  type="button"
                  className="plain-button"
                  disabled={isBusy}
                  aria-label={t('removeOf', { name: each.address })}
                  onClick={() =>
                    void act(
                      { kind: 'forget', address: each.address },
                      t('forwarding.removed', { address: each.address }),
                    )
                  }
                >
                  {t('remove')}
                </button>
              </li>
            ))}
          </ul>
          {awaited.length > 0 && <CodeForm />}
          {to.length > 0 && (
            <label className="check">
              <input
                type="checkbox"
                checked={keep}
                disabled={isBusy}
                onChange={(event) => {
                  const keeps = event.currentTarget.checked
                  setKeep(keeps)
                  void say(all, keeps, t(keeps ? 'forwarding.keeps' : 'forwarding.keepsNot')).then(
                    (isDone) => {
                      if (!isDone) setKeep(!keeps)
                    },
                  )
                }}
              />
              {t('forwarding.keep')}
            </label>
          )}
        </section>
      )}
      {forwarding === 'none' ? (
        <p>{t('forwarding.none')}</p>
      ) : (
        <section className="sheet" aria-labelledby="forward-new">
          <h2 id="forward-new">{t('forwarding.new')}</h2>
          <p className="faint">
            {forwarding === 'domain'
              ? t('forwarding.domain', { domains: view.domains.join(', ') })
              : t('forwarding.anyone')}
          </p>
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
              inputMode="email"
              autoCapitalize="none"
              spellCheck={false}
              value={address}
              aria-label={t('forwarding.address')}
              placeholder="hanako@example.org"
              onChange={(event) => setAddress(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && isComposing(event.nativeEvent)) event.preventDefault()
              }}
            />
            <button type="submit" className="answer" disabled={isBusy || address.trim() === ''}>
              {t('add')}
            </button>
          </form>
        </section>
      )}
    </>
  )
}
