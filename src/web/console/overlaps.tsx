import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { overlaps } from '#contract/admin/sources.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { queryOf } from '#web/parts/api.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { useRows } from '#web/parts/rows-of.ts'
import { Sheet } from '#web/parts/sheet.tsx'

type Overlap = z.infer<typeof overlaps>['items'][number]

/** Who is in several directories at once: whose word counts, and what the others say. */
export function Overlaps(): ReactNode {
  const { t } = useWords()
  const open = useAddress().query.get('id')
  const rows = useRows<Overlap>('/directory/overlaps')
  const sourceName = (name: string): string => (name === 'here' ? t('overlap.here') : name)
  const columns: Column<Overlap>[] = [
    {
      key: 'address',
      label: t('people.address'),
      width: 'minmax(140px, 1.2fr)',
      cell: ({ address }) => address,
    },
    {
      key: 'sources',
      label: t('overlap.sources'),
      width: 'minmax(110px, 1fr)',
      cell: ({ sources }) => sources.map(sourceName).join(' → '),
    },
    {
      key: 'losers',
      label: t('overlap.differs'),
      width: 'minmax(110px, 1.2fr)',
      cell: ({ rows: all }) =>
        all
          .filter(({ losers }) => losers.length > 0)
          .map(({ what, value }) => `${what}: ${value}`)
          .join(', '),
      isExtra: true,
    },
  ]
  const opened = Array.from({ length: rows.count }, (_, at) => rows.rowAt(at)).find(
    (row) => row !== undefined && row.id === open,
  )
  return (
    <>
      <p className="faint">{t('overlap.hint')}</p>
      <PageTable
        label={t('people.overlaps')}
        list={rows}
        columns={columns}
        keyOf={({ id }) => id}
        opened={open ?? undefined}
        onOpen={({ id }) => setQuery({ id })}
        empty={t('overlap.empty')}
        detail={opened !== undefined && <Detail row={opened} sourceName={sourceName} />}
      />
    </>
  )
}

function Detail(props: {
  readonly row: Overlap
  readonly sourceName: (name: string) => string
}): ReactNode {
  const { t } = useWords()
  const { row, sourceName } = props
  return (
    <Sheet title={row.address}>
      <p>{row.sources.map(sourceName).join(' → ')}</p>
      <table className="plain">
        <thead>
          <tr>
            <th>{t('overlap.what')}</th>
            <th>{t('overlap.value')}</th>
            <th>{t('overlap.losers')}</th>
          </tr>
        </thead>
        <tbody>
          {row.rows.map(({ what, value, by, losers }, index) => (
            <tr key={index}>
              <td>{what}</td>
              <td>
                {value} <span className="faint">({sourceName(by)})</span>
              </td>
              <td>
                {losers.map((loser) => (
                  <div key={loser.source}>
                    {loser.value === '' ? t('overlap.nothing') : loser.value}{' '}
                    <span className="faint">({sourceName(loser.source)})</span>
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        <Link to={`/console/people${queryOf({ tab: 'explain', q: row.address })}`}>
          {t('overlap.explain')}
        </Link>
      </p>
    </Sheet>
  )
}
