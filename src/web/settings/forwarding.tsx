import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'
import { CodeForm } from './code-form.tsx'
import { LineForm } from './line-form.tsx'
import { NamedThing } from './named-thing.tsx'

/** Where mail is sent on to; an address elsewhere counts once its code has come back. */
export function Forwarding(): ReactNode {
  const { t } = useWords()
  const { view, act, isBusy } = useChoosing()
  const { forward, forwarding } = view
  const awaited = view.awaited.filter(({ use }) => use === 'forward')
  const [keep, setKeep] = useState(forward?.keep ?? true)
  useEffect(() => setKeep(forward?.keep ?? true), [forward?.keep])
  const to = forward?.to ?? []
  const all = [...to, ...awaited.map((each) => each.address)]
  // An address whose code has come back stays proved: undo needs no other mail.
  const say = (next: readonly string[], keeps: boolean, done: string): Promise<boolean> =>
    act({ kind: 'forward', to: [...next], keep: keeps }, done, {
      kind: 'forward',
      to: [...all],
      keep: forward?.keep ?? true,
    })
  const add = (next: string): Promise<boolean> => {
    const isHere = view.domains.some((domain) => next.toLowerCase().endsWith(`@${domain}`))
    const done = t(isHere ? 'forwarding.added' : 'forwarding.asked', { address: next })
    return say([...all, next], keep, done)
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
              <NamedThing
                key={each}
                name={each}
                remove={() =>
                  void say(
                    all.filter((other) => other !== each),
                    keep,
                    t('forwarding.removed', { address: each }),
                  )
                }
              />
            ))}
            {awaited.map(({ address, expiresAt }) => (
              <NamedThing
                key={address}
                name={address}
                waitsUntil={expiresAt}
                remove={() =>
                  void act({ kind: 'forget', address }, t('forwarding.removed', { address }))
                }
              />
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
          <LineForm
            label={t('forwarding.address')}
            hint="hanako@example.org"
            word={t('add')}
            isEmail
            done={add}
          />
        </section>
      )}
    </>
  )
}
