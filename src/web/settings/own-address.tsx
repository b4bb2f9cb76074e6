import { useState } from 'react'
import type { ReactNode } from 'react'

import { isComposing } from '#web/mail/keys.ts'
import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'

import { useChoosing } from './choices-room.tsx'
import { CodeForm } from './code-form.tsx'
import { LineForm } from './line-form.tsx'
import { NamedThing } from './named-thing.tsx'

/** The addresses of the account, one of one's own choice, and where else one is reached. */
export function OwnAddress(): ReactNode {
  const { t, language } = useWords()
  const { view } = useChoosing()
  const { main, further, former, chosen } = view.address
  const isChosen = (address: string): boolean => chosen.some((each) => each.address === address)
  return (
    <>
      <section className="sheet" aria-labelledby="addresses">
        <h2 id="addresses">{t('address.yours')}</h2>
        <ul className="things">
          <li>
            <bdi>{main}</bdi>
            <span className="faint">{t('address.main')}</span>
          </li>
          {further
            .filter((each) => !isChosen(each))
            .map((each) => (
              <li key={each}>
                <bdi>{each}</bdi>
                <span className="faint">{t('address.given')}</span>
              </li>
            ))}
          {former.map((each) => (
            <li key={each.address}>
              <bdi>{each.address}</bdi>
              <span className="faint">
                {t('address.former', { when: dateText(language, each.keptUntil) })}
              </span>
            </li>
          ))}
        </ul>
      </section>
      <Chosen />
      <Contact />
    </>
  )
}

function Chosen(): ReactNode {
  const { t, language } = useWords()
  const { view, act, isBusy } = useChoosing()
  const { chosen, mayChoose, max, patterns, lengthMin, changesFrom, main } = view.address
  const domain = main.slice(main.lastIndexOf('@'))
  const [name, setName] = useState('')
  const [isAsked, setAsked] = useState(false)
  if (!mayChoose && chosen.length === 0) return null
  const isFull = chosen.length >= max
  const instead = isFull ? chosen.at(-1)?.address : undefined
  const address = `${name.normalize('NFKC').trim().toLowerCase()}${domain}`
  const claim = async (): Promise<void> => {
    const done = await act(
      { kind: 'address', address, ...(instead !== undefined && { instead }) },
      t('address.claimed', { address }),
    )
    setAsked(false)
    if (done) setName('')
  }
  return (
    <section className="sheet" aria-labelledby="chosen">
      <h2 id="chosen">{t('address.own')}</h2>
      <p className="faint">{t('address.what')}</p>
      <ul className="things">
        {chosen.map((each) => (
          <li key={each.address}>
            <bdi>{each.address}</bdi>
            <span className="faint">
              {t('address.since', { when: dateText(language, each.since) })}
            </span>
          </li>
        ))}
      </ul>
      {mayChoose && changesFrom !== null && (
        <p>{t('address.changesFrom', { when: dateText(language, changesFrom) })}</p>
      )}
      {mayChoose && changesFrom === null && (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (isAsked || instead === undefined) void claim()
            else setAsked(true)
          }}
        >
          <div className="line">
            <label className="grow">
              {t(instead === undefined ? 'address.new' : 'address.instead')}
              <span className="joined">
                <input
                  className="field"
                  type="text"
                  autoCapitalize="none"
                  spellCheck={false}
                  maxLength={64}
                  value={name}
                  aria-describedby="address-form"
                  onChange={(event) => {
                    setName(event.currentTarget.value)
                    setAsked(false)
                  }}
                  onKeyDown={(event) => {
                    if (event.key === 'Enter' && isComposing(event.nativeEvent))
                      event.preventDefault()
                  }}
                />
                <span>{domain}</span>
              </span>
            </label>
            {!isAsked && (
              <button type="submit" className="answer" disabled={isBusy || name.trim() === ''}>
                {t(instead === undefined ? 'address.claim' : 'address.change')}
              </button>
            )}
          </div>
          <p id="address-form" className="faint small">
            {patterns.length === 0
              ? t('address.form', { least: lengthMin })
              : t('address.pattern', { patterns: patterns.join(' ') })}
          </p>
          {isAsked && instead !== undefined && (
            <p role="alert">
              {t('address.sure', { address, instead })}{' '}
              <button type="submit" className="danger" disabled={isBusy}>
                {t('address.yes')}
              </button>
            </p>
          )}
        </form>
      )}
    </section>
  )
}

function Contact(): ReactNode {
  const { t } = useWords()
  const { view, act } = useChoosing()
  const { contact } = view
  const awaited = view.awaited.filter(({ use }) => use === 'contact')
  const forget = (address: string): void =>
    void act({ kind: 'forget', address }, t('contact.removed', { address }))
  return (
    <section className="sheet" aria-labelledby="contact">
      <h2 id="contact">{t('contact.title')}</h2>
      <p className="faint">{t('contact.what')}</p>
      <ul className="things">
        {contact !== null && <NamedThing name={contact} remove={() => forget(contact)} />}
        {awaited.map(({ address, expiresAt }) => (
          <NamedThing
            key={address}
            name={address}
            waitsUntil={expiresAt}
            remove={() => forget(address)}
          />
        ))}
      </ul>
      {awaited.length > 0 && <CodeForm />}
      <LineForm
        label={t('contact.address')}
        hint="hanako@example.org"
        word={t('contact.ask')}
        isEmail
        done={(address) =>
          act({ kind: 'ask', use: 'contact', address }, t('contact.asked', { address }))
        }
      />
    </section>
  )
}
