import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { segmentsOf, useAddress } from '#web/parts/address.ts'
import { ApiFailure } from '#web/parts/api.ts'
import { Failing } from '#web/parts/failing.tsx'
import { Brand } from '#web/parts/brand.tsx'
import { useWords } from '#web/parts/language.ts'
import { Login } from '#web/parts/login.tsx'
import { NotFound } from '#web/parts/not-found.tsx'
import { Notices } from '#web/parts/notices.tsx'
import { Preferences } from '#web/parts/preferences.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

import { MyLists, pathOf } from './my-lists.tsx'
import { OneList } from './one-list.tsx'
import { enter, leave, useSession } from './session.ts'

/** The office's daily tool for mailing lists: the login, the lists, one list. */
export function App(): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  const session = useSession()
  if (session.isPending) return null
  if (session.data === undefined)
    return (
      <main className="alone">
        <Trouble error={session.error} retry={() => void session.refetch()} />
      </main>
    )
  if (session.data === null)
    return (
      <Login
        hint={t('login.hint')}
        enter={async (username, password) => {
          client.setQueryData(['session', 'lists'], await enter(username, password))
        }}
        reason={reasonOf}
      />
    )
  const end = async (): Promise<void> => {
    await leave()
    client.clear()
    location.assign('/lists')
  }
  return (
    <div className="desk">
      <a className="skip" href="#page">
        {t('shell.skip')}
      </a>
      <header className="top">
        <Brand to="/mail/inbox" isElsewhere />
        <Preferences />
        <span className="who">{session.data.name ?? session.data.username}</span>
        <Button variant="default" size="compact-sm" onClick={() => void end()}>
          {t('shell.leave')}
        </Button>
      </header>
      <main id="page" tabIndex={-1}>
        <Notices>
          <Here />
        </Notices>
      </main>
    </div>
  )
}

function Here(): ReactNode {
  const { t } = useWords()
  const { path } = useAddress()
  // `/lists/minna@campus.example/posts/12`: what Archived-At names (RFC 5064).
  const [, list = '', room = '', number = '', ...more] = segmentsOf(path)
  const isPost = room === 'posts' && /^\d+$/.test(number)
  if (more.length > 0 || (room !== '' && !isPost))
    return <NotFound back={list === '' ? '/lists' : pathOf(list)} />
  return (
    <Failing key={path} text={t('broken')}>
      {list === '' ? <MyLists /> : <OneList address={list} {...(isPost && { number })} />}
    </Failing>
  )
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof ApiFailure)) return 'login.away'
  if (thrown.status === 401) return 'login.wrong'
  return thrown.status === 429 ? 'login.slowed' : 'login.away'
}
