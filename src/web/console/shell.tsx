import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect } from 'react'
import type { ComponentType, ReactNode } from 'react'

import type { SessionBody } from '#contract/admin/session.ts'
import type { Permission } from '#model/role.ts'
import { segmentsOf, useAddress } from '#web/parts/address.ts'
import { Brand } from '#web/parts/brand.tsx'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { Notices } from '#web/parts/notices.tsx'
import { NotFound } from '#web/parts/not-found.tsx'
import { Preferences } from '#web/parts/preferences.tsx'

import { ask } from '#web/parts/api.ts'
import { Failing } from '#web/parts/failing.tsx'
import { Keys } from './keys.tsx'

interface Room {
  readonly name: string
  /** Who may not read it is not shown it. */
  readonly permission: Permission
  readonly page: ComponentType
}

const room = (name: string, permission: Permission, load: () => Promise<ComponentType>): Room => ({
  name,
  permission,
  page: lazy(async () => ({ default: await load() })),
})

/** In the order of the corridor, then of the house. */
const ROOMS: readonly (readonly Room[])[] = [
  [
    room('overview', 'status.read', async () => (await import('./overview.tsx')).Overview),
    room('trace', 'trace.read', async () => (await import('./trace.tsx')).Trace),
    room('queue', 'queue.read', async () => (await import('./queue.tsx')).Queue),
  ],
  [
    room('access', 'settings.read', async () => (await import('./access.tsx')).Access),
    room(
      'destinations',
      'people.read',
      async () => (await import('./destinations.tsx')).Destinations,
    ),
    room('people', 'people.read', async () => (await import('./people.tsx')).People),
  ],
  [
    room('nodes', 'status.read', async () => (await import('./nodes.tsx')).Nodes),
    room('settings', 'settings.read', async () => (await import('./settings.tsx')).Settings),
  ],
]

const pathOf = (name: string): string => (name === 'overview' ? '/console' : `/console/${name}`)

/** Navigation, the page, and who is logged in. */
export function Shell({ session }: { readonly session: SessionBody }): ReactNode {
  const { t } = useWords()
  const { path } = useAddress()
  const rooms = ROOMS.map((group) =>
    group.filter(({ permission }) => session.permissions.includes(permission)),
  ).filter((group) => group.length > 0)
  const all = rooms.flat()
  const [, name = '', ...more] = segmentsOf(path)
  // Whose role has no overview begins with what it has.
  const here =
    more.join('') === ''
      ? name === ''
        ? all[0]
        : all.find((each) => each.name === name)
      : undefined
  const Page = here?.page
  const client = useQueryClient()
  useEffect(() => {
    document.querySelector('main')?.scrollTo(0, 0)
  }, [here])
  const leave = async (): Promise<void> => {
    await ask('DELETE', '/session').catch(() => undefined)
    client.clear()
    location.assign('/console')
  }
  return (
    <div className="shell">
      {here !== undefined && <title>{`${t(`${here.name}.title`)} · Watari`}</title>}
      <a className="skip" href="#page">
        {t('shell.skip')}
      </a>
      <header className="top">
        <Brand to="/console" />
        <Preferences />
        <span className="who">{session.name ?? session.username}</span>
        <Button variant="default" size="compact-sm" onClick={() => void leave()}>
          {t('shell.leave')}
        </Button>
      </header>
      <nav className="rooms" aria-label={t('shell.rooms')}>
        {rooms.map((group, index) => (
          <ul key={index}>
            {group.map((each) => (
              <li key={each.name}>
                <Link to={pathOf(each.name)} current={each === here}>
                  {t(`${each.name}.title`)}
                </Link>
              </li>
            ))}
          </ul>
        ))}
        {session.permissions.includes('lists.read') && (
          <ul>
            <li>
              <a href="/lists?tab=all">{t('shell.lists')}</a>
            </li>
          </ul>
        )}
      </nav>
      <Keys rooms={all.map((each) => ({ key: each.name[0]!, path: pathOf(each.name) }))} />
      <main id="page" tabIndex={-1}>
        <Notices>
          {Page === undefined ? (
            <NotFound back="/console" />
          ) : (
            <Failing key={here?.name} text={t('broken')}>
              <Suspense fallback={<p className="faint">{t('loading')}</p>}>
                <Page />
              </Suspense>
            </Failing>
          )}
        </Notices>
      </main>
    </div>
  )
}
