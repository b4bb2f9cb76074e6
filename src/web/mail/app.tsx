import { useEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { Login } from '#web/parts/login.tsx'

import { MailClient, MailFailure } from './client.ts'
import { Desk } from './desk.ts'
import { Letters } from './letters.ts'
import { Room } from './room.tsx'

type State = 'asking' | 'out' | 'in' | 'away'

/**
 * The login, or what is behind it. A login that ends covers what is there and keeps it: whoever logs
 * in again is where he was, with what he was writing.
 */
export function App(): ReactNode {
  const { t } = useWords()
  const client = useMemo(() => new MailClient(), [])
  const [state, setState] = useState<State>('asking')
  const [hasEnded, setEnded] = useState(false)
  const [desk, setDesk] = useState<Desk>()
  const letters = useMemo(() => desk && new Letters(desk), [desk])

  const begin = useMemo(
    () => async (): Promise<void> => {
      setState('asking')
      const next = new Desk(client)
      try {
        if (client.accountId === '' && !(await client.resume())) return setState('out')
        await next.start()
        setDesk(next)
        setState('in')
      } catch {
        setState('away')
      }
    },
    [client],
  )
  useEffect(() => {
    client.onExpired(() => {
      setEnded(true)
      setState('out')
    })
    void begin()
  }, [client, begin])
  useEffect(() => letters?.restore(), [letters])
  useEffect(() => () => desk?.end(), [desk])

  const entered = (isOther: boolean): void => {
    setEnded(false)
    if (desk === undefined || isOther) return void begin()
    setState('in')
    desk.resume()
  }
  const leave = (): void => {
    desk?.end()
    sessionStorage.clear()
    // Nothing of what was read stays in memory.
    void client.logout().then(() => location.assign('/'))
  }
  return (
    <>
      {state === 'out' && (
        <Login
          hint={t(hasEnded ? 'login.ended' : 'login.hint')}
          enter={async (username, password) => entered(await client.login(username, password))}
          reason={reasonOf}
        />
      )}
      {state === 'away' && (
        <main className="alone" role="alert">
          <p>{t('away.start')}</p>
          <button type="button" className="plain-button" onClick={() => void begin()}>
            {t('retry')}
          </button>
        </main>
      )}
      {state === 'asking' && desk === undefined && <p className="alone faint">{t('loading')}</p>}
      {desk !== undefined && letters !== undefined && (
        <div hidden={state === 'out'} className="behind">
          <Room desk={desk} letters={letters} leave={leave} isBehind={state === 'out'} />
        </div>
      )}
    </>
  )
}

function reasonOf(thrown: unknown): string {
  const kind = thrown instanceof MailFailure ? thrown.kind : 'away'
  return `login.${kind === 'wrong' || kind === 'slowed' ? kind : 'away'}`
}
