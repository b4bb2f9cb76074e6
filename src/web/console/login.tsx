import { useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { SessionBody } from '#contract/admin/session.ts'
import { useWords } from '#web/parts/language.ts'
import { Login } from '#web/parts/login.tsx'

import { ApiFailure, ask, remember } from '#web/parts/api.ts'

/** The way in, for accounts that have a role. */
export function AdministratorLogin(): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  return (
    <Login
      hint={t('login.hint')}
      enter={async (username, password) => {
        const body = await ask<SessionBody>('POST', '/session', { body: { username, password } })
        client.setQueryData(['session'], remember(body))
      }}
      reason={reasonOf}
    />
  )
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof ApiFailure)) return 'login.away'
  if (thrown.status === 401) return 'login.wrong'
  if (thrown.status === 403) return 'login.noRole'
  return thrown.status === 429 ? 'login.slowed' : 'login.away'
}
