import { useEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'

import { MailClient, MailFailure } from '#web/mail/client.ts'
import { useWords } from '#web/parts/language.ts'
import { Login } from '#web/parts/login.tsx'
import { Notices } from '#web/parts/notices.tsx'

import { ChoicesRoom } from './choices-room.tsx'
import { Shell } from './shell.tsx'

type State = 'asking' | 'out' | 'in' | 'away'

/** The login, which is the webmail's as well, or the settings behind it. */
export function App(): ReactNode {
  const { t } = useWords()
  const client = useMemo(() => new MailClient(), [])
  const [state, setState] = useState<State>('asking')
  const begin = useMemo(
    () => async (): Promise<void> => {
      setState('asking')
      try {
        setState((await client.resume()) ? 'in' : 'out')
      } catch {
        setState('away')
      }
    },
    [client],
  )
  useEffect(() => {
    client.onExpired(() => setState('out'))
    void begin()
  }, [client, begin])
  if (state === 'out')
    return (
      <Login
        hint={t('login.hint')}
        enter={async (username, password) => {
          await client.login(username, password)
          setState('in')
        }}
        reason={(thrown) => {
          const kind = thrown instanceof MailFailure ? thrown.kind : 'away'
          return `login.${kind === 'wrong' || kind === 'slowed' ? kind : 'away'}`
        }}
      />
    )
  if (state === 'asking') return <p className="alone faint">{t('loading')}</p>
  if (state === 'away')
    return (
      <main className="alone" role="alert">
        <p>{t('away.start')}</p>
        <button type="button" className="plain-button" onClick={() => void begin()}>
          {t('retry')}
        </button>
      </main>
    )
  return (
    <Notices>
      <ChoicesRoom client={client}>
        <Shell client={client} />
      </ChoicesRoom>
    </Notices>
  )
}
