import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'

import type { MailClient } from '#web/mail/client.ts'
import { segmentsOf, useAddress } from '#web/parts/address.ts'
import { Brand } from '#web/parts/brand.tsx'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { NotFound } from '#web/parts/not-found.tsx'
import { Preferences } from '#web/parts/preferences.tsx'

import { Away } from './away.tsx'
import { useChoosing } from './choices-room.tsx'
import { Filters } from './filters.tsx'
import { Forwarding } from './forwarding.tsx'
import { Junk } from './junk.tsx'
import { OwnAddress } from './own-address.tsx'
import { Passwords } from './passwords.tsx'
import { ScriptPage } from './script-page.tsx'
import { Senders } from './senders.tsx'

const PAGES = [
  'junk',
  'senders',
  'filters',
  'forwarding',
  'away',
  'address',
  'passwords',
  'script',
] as const
type PageName = (typeof PAGES)[number]

/** The pages of the settings, one at a time; each has its address. */
export function Shell({ client }: { readonly client: MailClient }): ReactNode {
  const { t } = useWords()
  const { path } = useAddress()
  const { view } = useChoosing()
  const [, asked = ''] = segmentsOf(path)
  const page = PAGES.find((each) => each === (asked || 'junk'))
  const heading = useRef<HTMLHeadingElement>(null)
  const isFirst = useRef(true)
  useEffect(() => {
    // Who goes by keyboard or by ear is where the new page begins.
    if (!isFirst.current) heading.current?.focus()
    isFirst.current = false
  }, [page])
  return (
    <div className="settings">
      {page !== undefined && (
        <title>{`${t(`page.${page}`)} · ${t('settings.title')} · Watari`}</title>
      )}
      <header className="bar">
        <Brand to="/mail/inbox" isElsewhere />
        <span className="settings-whose faint">{view.user}</span>
        <Preferences />
      </header>
      <nav className="tabs settings-nav" aria-label={t('settings.title')}>
        {PAGES.map((each) => (
          <Link key={each} to={`/settings/${each}`} current={each === page}>
            {t(`page.${each}`)}
          </Link>
        ))}
        <a href="/mail/inbox" className="settings-back">
          {t('settings.back')}
        </a>
        <a href="/lists">{t('account.lists')}</a>
      </nav>
      <main className="settings-page">
        {page === undefined ? (
          <NotFound back="/settings/junk" />
        ) : (
          <>
            <h1 ref={heading} tabIndex={-1}>
              {t(`page.${page}`)}
            </h1>
            <Content page={page} client={client} />
          </>
        )}
      </main>
    </div>
  )
}

function Content({
  page,
  client,
}: {
  readonly page: PageName
  readonly client: MailClient
}): ReactNode {
  switch (page) {
    case 'junk':
      return <Junk />
    case 'senders':
      return <Senders client={client} />
    case 'filters':
      return <Filters client={client} />
    case 'forwarding':
      return <Forwarding />
    case 'away':
      return <Away />
    case 'address':
      return <OwnAddress />
    case 'passwords':
      return <Passwords client={client} />
    case 'script':
      return <ScriptPage client={client} />
  }
}
