import type { ReactNode } from 'react'

import type { ForwardBody } from '#contract/admin/directory.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'

import { ask, part } from '#web/parts/api.ts'
import { DirectoryRows } from './directory-rows.tsx'
import { listOf } from './edit-row.tsx'
import type { Values } from './edit-row.tsx'

const pathOf = (user: string): string => `/users/${part(user)}/forward`

const bodyOf = (values: Values) => ({ to: listOf(values['to']), keep: values['keep'] === 'yes' })

/** Users whose mail goes elsewhere. */
export function Forwards(): ReactNode {
  const { t } = useWords()
  const fields = [
    { name: 'to', label: t('people.forward'), hint: t('destinations.listHint') },
    { name: 'keep', label: t('forward.keep'), isFlag: true },
  ]
  const put = (user: string, body: object, ifMatch?: string): Promise<unknown> =>
    ask('PUT', pathOf(user), { body, ...(ifMatch !== undefined && { ifMatch }) })
  return (
    <DirectoryRows<ForwardBody>
      kind={{
        word: 'forward',
        path: '/forwards',
        permission: 'people.write',
        keyOf: ({ user }) => user,
        columns: [
          {
            key: 'user',
            label: t('forward.user'),
            width: 'minmax(110px, 1fr)',
            cell: (row) => row.user,
            text: (row) => row.user,
          },
          {
            key: 'to',
            label: t('people.forward'),
            width: 'minmax(110px, 1.5fr)',
            cell: (row) => row.to.join(', '),
            text: (row) => row.to.join(' '),
          },
          {
            key: 'keep',
            label: t('forward.copy'),
            width: 'minmax(100px, 150px)',
            cell: (row) => (
              <Mark kind="plain">{t(row.keep ? 'forward.keeps' : 'forward.keepsNot')}</Mark>
            ),
            text: (row) => (row.keep ? 'keep' : ''),
          },
        ],
        addFields: [
          { name: 'user', label: t('forward.user'), hint: t('people.addressHint') },
          ...fields,
        ],
        editFields: fields,
        seenOf: (row) => ({
          values: { to: row.to.join(', '), keep: row.keep ? 'yes' : '' },
          version: row.version,
        }),
        add: (values) => put(values['user'] ?? '', bodyOf(values)),
        save: (row, values, version) => put(row.user, bodyOf(values), version),
        remove: (row) => ask('DELETE', pathOf(row.user), { ifMatch: row.version }),
        restore: (row) => put(row.user, { to: row.to, keep: row.keep }),
      }}
    />
  )
}
