import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'

import { MailFailure } from './client.ts'
import type { AppPassword, FailureKind, MailClient, NewAppPassword } from './client.ts'

/** Passwords of single programs: a new one is shown once, each is taken back by itself. */
export function AppPasswords({ client }: { readonly client: MailClient }): ReactNode {
  const { t, language } = useWords()
  const [items, setItems] = useState<readonly AppPassword[]>()
  const [made, setMade] = useState<NewAppPassword>()
  const [failure, setFailure] = useState<FailureKind>()
  const [name, setName] = useState('')
  const [own, setOwn] = useState('')
  const [isBusy, setBusy] = useState(false)
  /** Whose taking back was asked for, and is to be said again: nothing brings a password back. */
  const [asked, setAsked] = useState<string>()
  const trying = (work: () => Promise<void>): void => {
    setBusy(true)
    setFailure(undefined)
    work()
      .catch((thrown: unknown) => setFailure(thrown instanceof MailFailure ? thrown.kind : 'away'))
      .finally(() => setBusy(false))
  }
  useEffect(() => trying(async () => setItems(await client.appPasswords())), [client])
  const make = (): void =>
    trying(async () => {
      const next = await client.makeAppPassword(name.trim(), own)
      setMade(next)
      setItems((before = []) => [...before, next])
      setName('')
      setOwn('')
    })
  const takeBack = (id: string): void =>
    trying(async () => {
      await client.removeAppPassword(id)
      setItems((before = []) => before.filter((each) => each.id !== id))
      if (made?.id === id) setMade(undefined)
    })
  return (
    <>
      <p className="faint">{t('appPasswords.what')}</p>
      {failure !== undefined && <p role="alert">{t(`appPasswords.${failure}`)}</p>}
      {made !== undefined && (
        <p role="status">
          {t('appPasswords.made', { name: made.name })} <code>{made.password}</code>
        </p>
      )}
      {items !== undefined && items.length === 0 && <p>{t('appPasswords.none')}</p>}
      <ul className="app-passwords">
        {items?.map((each) => (
          <li key={each.id}>
            <span>
              <bdi>{each.name}</bdi>{' '}
              <span className="faint">
                {t('appPasswords.madeOn', { day: dateText(language, each.createdAt) })}
              </span>
              <br />
              <span className="faint small">
                {each.lastUse === undefined
                  ? t('appPasswords.unused')
                  : t(`appPasswords.used_${each.lastUse.protocol}`, {
                      time: dateText(language, each.lastUse.at),
                      ip: each.lastUse.ip,
                    })}
              </span>
            </span>
            <button
              type="button"
              className={asked === each.id ? 'danger' : 'plain-button'}
              disabled={isBusy}
              aria-label={t(
                asked === each.id ? 'appPasswords.removeYesOf' : 'appPasswords.removeOf',
                {
                  name: each.name,
                },
              )}
              onClick={() => (asked === each.id ? takeBack(each.id) : setAsked(each.id))}
              onBlur={() => setAsked(undefined)}
            >
              {t(asked === each.id ? 'appPasswords.removeYes' : 'appPasswords.remove')}
            </button>
          </li>
        ))}
      </ul>
      <form
        className="app-password-form"
        onSubmit={(event) => {
          event.preventDefault()
          make()
        }}
      >
        <label>
          {t('appPasswords.name')}
          <input
            className="field"
            type="text"
            required
            maxLength={100}
            value={name}
            placeholder={t('appPasswords.nameHint')}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label>
          {t('appPasswords.own')}
          <input
            className="field"
            type="password"
            required
            autoComplete="current-password"
            value={own}
            onChange={(event) => setOwn(event.currentTarget.value)}
          />
        </label>
        <button type="submit" className="answer" disabled={isBusy}>
          {t('appPasswords.make')}
        </button>
      </form>
    </>
  )
}
