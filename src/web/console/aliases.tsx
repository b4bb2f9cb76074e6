import type { ReactNode } from 'react'

import type { AliasBody } from '#contract/admin/directory.ts'
import { useWords } from '#web/parts/language.ts'

import { ask, part } from '#web/parts/api.ts'
import { DirectoryRows } from './directory-rows.tsx'
import { listOf } from './edit-row.tsx'

const pathOf = (from: string): string => `/aliases/${part(from)}`

/** Addresses that lead to others. */
export function Aliases(): ReactNode {
  const { t } = useWords()
  const to = { name: 'to', label: t('alias.to'), hint: t('destinations.listHint') }
  const add = (from: string | undefined, list: readonly string[]): Promise<unknown> =>
    ask('POST', '/aliases', { body: { from, to: list } })
  return (
    <DirectoryRows<AliasBody>
      kind={{
        word: 'alias',
        path: '/aliases',
        permission: 'people.write',
        keyOf: ({ from }) => from,
        columns: [
          {
            key: 'from',
            label: t('alias.from'),
            width: 'minmax(110px, 1fr)',
            cell: (row) => row.from,
            text: (row) => row.from,
          },
          {
            key: 'to',
            label: t('alias.to'),
            width: 'minmax(110px, 1.5fr)',
            cell: (row) => row.to.join(', '),
            text: (row) => row.to.join(' '),
          },
        ],
        addFields: [{ name: 'from', label: t('alias.from'), hint: t('people.addressHint') }, to],
        editFields: [to],
        seenOf: (row) => ({ values: { to: row.to.join(', ') }, version: row.version }),
        add: (values) => add(values['from'], listOf(values['to'])),
        save: (row, values, ifMatch) =>
          ask('PUT', pathOf(row.from), { body: { to: listOf(values['to']) }, ifMatch }),
        remove: (row) => ask('DELETE', pathOf(row.from), { ifMatch: row.version }),
        restore: (row) => add(row.from, row.to),
      }}
    />
  )
}
