import type { ReactNode } from 'react'

import type { DomainBody } from '#contract/admin/directory.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'

import { ask, part } from '#web/parts/api.ts'
import { DirectoryRows } from './directory-rows.tsx'
import type { Values } from './edit-row.tsx'
import { Signing } from './signing.tsx'
import { quotaChange, quotaFields, quotaValues } from './quota-fields.ts'

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
  const add = (row: Partial<Pick<DomainBody, 'name' | 'convertTo' | 'quota'>>): Promise<unknown> =>
    ask('POST', '/domains', { body: row })
  return (
    <DirectoryRows<DomainBody>
      kind={{
        word: 'domain',
        path: '/domains',
        permission: 'routing.write',
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
            key: 'quota',
            label: t('quota.perUser'),
            width: 'minmax(90px, 150px)',
            isExtra: true,
            cell: ({ quota }) =>
              Object.values(quotaValues(quota)).filter(Boolean).join(', ') || '–',
            text: ({ quota }) => quotaValues(quota)['quota'] ?? '',
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
        editFields: [conversion, ...quotaFields(t)],
        seenOf: (row) => ({
          values: { convertTo: row.convertTo ?? '', ...quotaValues(row.quota) },
          version: row.version,
        }),
        add: (values) => {
          const to = convertTo(values)
          return add({ name: values['name'] ?? '', ...(to !== undefined && { convertTo: to }) })
        },
        save: async (row, values, ifMatch) =>
          ask('PUT', pathOf(row.name), {
            body: { convertTo: convertTo(values) ?? null, quota: quotaChange(t, values) },
            ifMatch,
          }),
        more: ({ name }) => <Signing domain={name} />,
        remove: (row) => ask('DELETE', pathOf(row.name), { ifMatch: row.version }),
        restore: ({ name, convertTo: to, quota }) =>
          add({
            name,
            ...(to !== undefined && { convertTo: to }),
            ...(quota !== undefined && { quota }),
          }),
      }}
    />
  )
}
