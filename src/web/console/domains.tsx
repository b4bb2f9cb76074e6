import type { ReactNode } from 'react'

import type { DomainBody } from '#contract/admin/directory.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'

import { ask, part } from './api.ts'
import { DirectoryRows } from './directory-rows.tsx'
import type { Values } from './edit-row.tsx'

const pathOf = (name: string): string => `/domains/${part(name)}`

const convertTo = (values: Values): string | undefined =>
  values['convertTo'] === '' ? undefined : values['convertTo']

/** Domains that are ours, and which of them are another's under a second name. */
export function Domains(): ReactNode {
  const { t } = useWords()
  const conversion = {
    name: 'convertTo',
    label: t('domain.convertTo'),
    hint: t('domain.convertHint'),
    isOptional: true,
  }
  const add = (name: string | undefined, to: string | undefined): Promise<unknown> =>
    ask('POST', '/domains', { body: { name, ...(to !== undefined && { convertTo: to }) } })
  return (
    <DirectoryRows<DomainBody>
      kind={{
        word: 'domain',
        path: '/domains',
        keyOf: ({ name }) => name,
        columns: [
          {
            key: 'name',
            label: t('domain.name'),
            width: 'minmax(120px, 1fr)',
            cell: (row) => row.name,
            text: (row) => row.name,
          },
          {
            key: 'convertTo',
            label: t('domain.convertTo'),
            width: 'minmax(120px, 1fr)',
            cell: (row) => row.convertTo ?? '–',
            text: (row) => row.convertTo ?? '',
          },
          {
            key: 'default',
            label: t('domain.default'),
            width: 'minmax(90px, 140px)',
            cell: (row) => row.isDefault && <Mark kind="plain">{t('domain.isDefault')}</Mark>,
            text: (row) => (row.isDefault ? 'default' : ''),
          },
        ],
        addFields: [{ name: 'name', label: t('domain.name') }, conversion],
        editFields: [conversion],
        seenOf: (row) => ({ values: { convertTo: row.convertTo ?? '' }, version: row.version }),
        add: (values) => add(values['name'], convertTo(values)),
        save: (row, values, ifMatch) =>
          ask('PUT', pathOf(row.name), {
            body: { convertTo: convertTo(values) ?? null },
            ifMatch,
          }),
        remove: (row) => ask('DELETE', pathOf(row.name), { ifMatch: row.version }),
        restore: (row) => add(row.name, row.convertTo),
      }}
    />
  )
}
