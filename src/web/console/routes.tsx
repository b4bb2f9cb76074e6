import type { ReactNode } from 'react'

import type { RouteBody } from '#contract/admin/directory.ts'
import { useWords } from '#web/parts/language.ts'

import { ask, part } from '#web/parts/api.ts'
import { DirectoryRows } from './directory-rows.tsx'

/** Where mail goes next, by domain or address. */
export function Routes(): ReactNode {
  const { t } = useWords()
  const nextHop = { name: 'nextHop', label: t('route.nextHop'), hint: t('route.nextHint') }
  const put = (match: string, hop: string | undefined, ifMatch?: string): Promise<unknown> =>
    ask('PUT', `/routes/${part(match)}`, {
      body: { nextHop: hop },
      ...(ifMatch !== undefined && { ifMatch }),
    })
  return (
    <DirectoryRows<RouteBody>
      kind={{
        word: 'route',
        path: '/routes',
        permission: 'routing.write',
        keyOf: ({ match }) => match,
        columns: [
          {
            key: 'match',
            label: t('route.match'),
            width: 'minmax(110px, 1fr)',
            cell: (row) => row.match,
            text: (row) => row.match,
          },
          {
            key: 'nextHop',
            label: t('route.nextHop'),
            width: 'minmax(110px, 1fr)',
            cell: (row) => <span className="code">{row.nextHop}</span>,
            text: (row) => row.nextHop,
          },
        ],
        addFields: [
          { name: 'match', label: t('route.match'), hint: t('route.matchHint') },
          nextHop,
        ],
        editFields: [nextHop],
        seenOf: (row) => ({ values: { nextHop: row.nextHop }, version: row.version }),
        add: (values) => put(values['match'] ?? '', values['nextHop']),
        save: (row, values, version) => put(row.match, values['nextHop'], version),
        remove: (row) => ask('DELETE', `/routes/${part(row.match)}`, { ifMatch: row.version }),
        restore: (row) => put(row.match, row.nextHop),
      }}
    />
  )
}
