import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { Preferences } from '#web/parts/preferences.tsx'

import { MailFailure } from './client.ts'
import type { FailureKind, MailClient } from './client.ts'

/** The way in, for everybody who has a mailbox here. */
export function Login(props: {
  readonly client: MailClient
  /** There was a login, and it has ended. */
  readonly hasEnded: boolean
  readonly entered: (isOther: boolean) => void
}): ReactNode {
  const { t } = useWords()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [isAsking, setAsking] = useState(false)
  const [trouble, setTrouble] = useState<FailureKind>()
  const login = async (): Promise<void> => {
    setAsking(true)
    setTrouble(undefined)
    try {
      props.entered(await props.client.login(username, password))
    } catch (thrown) {
      setTrouble(thrown instanceof MailFailure ? thrown.kind : 'away')
      setAsking(false)
    }
  }
  return (
    <main className="alone">
      <title>{`${t('login.title')} · Watari`}</title>
      <form
        className="sheet login"
        onSubmit={(event) => {
          event.preventDefault()
          void login()
        }}
      >
        <h1>Watari 渡り</h1>
        <p className="faint">{t(props.hasEnded ? 'login.ended' : 'login.hint')}</p>
        <TextInput
          label={t('login.username')}
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          withAsterisk={false}
        />
        <PasswordInput
          label={t('login.password')}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          visibilityToggleButtonProps={{ 'aria-label': t('login.show') }}
          required
          withAsterisk={false}
        />
        {trouble !== undefined && (
          <p className="said-no" role="alert">
            {t(`login.${trouble === 'wrong' || trouble === 'slowed' ? trouble : 'away'}`)}
          </p>
        )}
        <Button type="submit" loading={isAsking} fullWidth>
          {t('login.enter')}
        </Button>
      </form>
      <Preferences />
    </main>
  )
}
