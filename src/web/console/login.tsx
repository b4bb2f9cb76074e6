import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { SessionBody } from '#contract/admin/session.ts'
import { useWords } from '#web/parts/language.ts'
import { Preferences } from '#web/parts/preferences.tsx'

import { ApiFailure, ask, remember } from './api.ts'

/** The way in, for accounts that are administrators. */
export function Login(): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const login = useMutation({
    mutationFn: () => ask<SessionBody>('POST', '/session', { body: { username, password } }),
    onSuccess: (body) => client.setQueryData(['session'], remember(body)),
  })
  return (
    <main className="alone">
      <title>{`${t('login.title')} · Watari`}</title>
      <form
        className="sheet login"
        onSubmit={(event) => {
          event.preventDefault()
          login.mutate()
        }}
      >
        <h1>Watari 渡り</h1>
        <p className="faint">{t('login.hint')}</p>
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
        {login.isError && (
          <p className="said-no" role="alert">
            {t(`login.${reasonOf(login.error)}`)}
          </p>
        )}
        <Button type="submit" loading={login.isPending} fullWidth>
          {t('login.enter')}
        </Button>
      </form>
      <Preferences />
    </main>
  )
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ApiFailure)) return 'away'
  if (error.status === 401) return 'refused'
  if (error.status === 403) return 'noAdministrator'
  return error.status === 429 ? 'slowed' : 'away'
}
