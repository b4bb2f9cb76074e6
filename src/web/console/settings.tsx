import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { useAddress } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'

import { ask } from '#web/parts/api.ts'
import { SettingsForm } from './settings-form.tsx'
import type { SettingsBody } from './settings-form.tsx'
import { SettingsHistory } from './settings-history.tsx'
import { Tabs } from '#web/parts/tabs.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

const TABS = ['all', 'history'] as const

/** Every setting as a form, made of what the API says of it; and how they came to be so. */
export function Settings(): ReactNode {
  const { t } = useWords()
  const tab = useAddress().query.get('tab') ?? 'all'
  const settings = useQuery({
    queryKey: ['settings'],
    queryFn: ({ signal }) => ask<SettingsBody>('GET', '/settings', { signal }),
    // What one is editing must not change below one's hands: a conflict is shown when it is applied.
    refetchOnWindowFocus: false,
    staleTime: Infinity,
  })
  return (
    <div className={tab === 'history' ? 'page-full' : undefined}>
      <h1>{t('settings.title')}</h1>
      <Tabs label={t('settings.title')} tabs={TABS} word="settings" current={tab} />
      {settings.error !== null && (
        <Trouble error={settings.error} retry={() => void settings.refetch()} />
      )}
      {settings.data === undefined ? (
        settings.error === null && <Skeleton height={300} />
      ) : tab === 'history' ? (
        <SettingsHistory generation={settings.data.generation} />
      ) : (
        <SettingsForm key={settings.data.generation} settings={settings.data} />
      )}
    </div>
  )
}
