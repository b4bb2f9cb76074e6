import type { ComponentType, ReactNode } from 'react'

import type { Permission } from '#model/role.ts'
import { useAddress } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'

import { Explain } from './explain.tsx'
import { Home } from './home.tsx'
import { ImportPeople } from './import-people.tsx'
import { useMay } from './may.tsx'
import { Overlaps } from './overlaps.tsx'
import { PeopleTable } from './people-table.tsx'
import { Plans } from './plans.tsx'
import { Sources } from './sources.tsx'
import { Tabs } from '#web/parts/tabs.tsx'

/** With what it takes to see each. */
const TABS = {
  all: ['people.read', PeopleTable],
  sources: ['sources.read', Sources],
  overlaps: ['sources.read', Overlaps],
  explain: ['people.read', Explain],
  home: ['sources.read', Home],
  plans: ['people.read', Plans],
  import: ['people.read', ImportPeople],
} as const satisfies Readonly<Record<string, readonly [Permission, ComponentType]>>

/** Who has a mailbox here, from which directory, and who says what of them. */
export function People(): ReactNode {
  const { t } = useWords()
  const tab = useAddress().query.get('tab') ?? ''
  const may = useMay()
  const names = (Object.keys(TABS) as (keyof typeof TABS)[]).filter((each) => may(TABS[each][0]))
  const name = names.find((each) => each === tab) ?? 'all'
  const Tab = TABS[name][1]
  return (
    <div className="page-full">
      <h1>{t('people.title')}</h1>
      <Tabs label={t('people.title')} tabs={names} word="people" current={name} />
      <Tab key={name} />
    </div>
  )
}
