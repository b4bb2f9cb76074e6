import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { SessionBody } from '#contract/admin/session.ts'

import { ApiFailure, ask, remember } from '#web/parts/api.ts'
import { AdministratorLogin } from './login.tsx'
import { Shell } from './shell.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

/** The login, or what is behind it. */
export function App(): ReactNode {
  const session = useQuery({
    queryKey: ['session'],
    queryFn: async () => {
      try {
        return remember(await ask<SessionBody>('GET', '/session', { background: true }))
      } catch (thrown) {
        if (thrown instanceof ApiFailure && thrown.status === 401) return null
        throw thrown
      }
    },
    refetchInterval: 60_000,
  })
  if (session.isPending) return null
  if (session.data === undefined)
    return (
      <main className="alone">
        <Trouble error={session.error} retry={() => void session.refetch()} />
      </main>
    )
  return session.data === null ? <AdministratorLogin /> : <Shell session={session.data} />
}
