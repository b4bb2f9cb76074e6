import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from './language.ts'
import { Preferences } from './preferences.tsx'

/** The way into a page: name and password, and why it stays shut. */
export function Login(props: {
  /** Who may come in here, or why one is asked again. */
  readonly hint: string
  /** Resolves when the page is open. */
  readonly enter: (username: string, password: string) => Promise<void>
  /** The key of the sentence that tells why `enter` has rejected. */
  readonly reason: (thrown: unknown) => string
}): ReactNode {
  const { t } = useWords()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [isAsking, setAsking] = useState(false)
  const [trouble, setTrouble] = useState<string>()
  const enter = async (): Promise<void> => {
    setAsking(true)
    setTrouble(undefined)
    try {
      await props.enter(username, password)
    } catch (thrown) {
      setTrouble(props.reason(thrown))
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
          void enter()
        }}
      >
        <h1>Watari 渡り</h1>
        <p className="faint">{props.hint}</p>
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
            {t(trouble)}
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
