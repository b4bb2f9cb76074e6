import type { ReactNode } from 'react'

import { useAddress } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'

import { Aliases } from './aliases.tsx'
import { Domains } from './domains.tsx'
import { Forwards } from './forwards.tsx'
import { Routes } from './routes.tsx'
import { Tabs } from '#web/parts/tabs.tsx'

const TABS = { domains: Domains, aliases: Aliases, forwards: Forwards, routes: Routes } as const

/** Which addresses are ours, where they lead, and where mail goes next. */
export function Destinations(): ReactNode {
  const { t } = useWords()
  const tab = useAddress().query.get('tab') ?? ''
  const name = Object.hasOwn(TABS, tab) ? (tab as keyof typeof TABS) : 'domains'
  const Tab = TABS[name]
  return (
    <div className="page-full">
      <h1>{t('destinations.title')}</h1>
      <Tabs
        label={t('destinations.title')}
        tabs={Object.keys(TABS)}
        word="destinations"
        current={name}
      />
      <Tab key={name} />
    </div>
  )
}
