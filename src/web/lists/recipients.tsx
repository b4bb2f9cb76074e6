import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { ListBody, recipients } from '#contract/admin/lists.ts'
import { ask, part } from '#web/parts/api.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { PageTable } from '#web/parts/page-table.tsx'
import { numberText } from '#web/parts/times.ts'
import { useWindow } from '#web/parts/window-of.ts'

type Answer = z.infer<typeof recipients>
type Recipient = Answer['items'][number]

/** Who would get a post that is sent now, each person once, and who cannot be found. */
export function Recipients({ list }: { readonly list: ListBody }): ReactNode {
  const { t, language } = useWords()
  const path = `/lists/${part(list.address)}/recipients`
  const head = useQuery({
    queryKey: [path, 'head'],
    queryFn: () => ask<Answer>('GET', `${path}?limit=1`, { background: true }),
  })
  const rows = useWindow<Recipient>(path)
  const columns: Column<Recipient>[] = [
    {
      key: 'name',
      label: t('member.name'),
      width: 'minmax(120px, 1fr)',
      cell: ({ name, address }) => name ?? address,
    },
    {
      key: 'address',
      label: t('member.address'),
      width: 'minmax(140px, 1.2fr)',
      cell: ({ address }) => address,
      isExtra: true,
    },
    {
      key: 'delivery',
      label: t('member.delivery'),
      width: 'minmax(90px, 0.5fr)',
      cell: ({ delivery }) => t(`delivery.${delivery}`),
    },
  ]
  const lost = head.data?.unresolved ?? []
  return (
    <>
      {head.data !== undefined && (
        <p>
          {t('recipients.count', {
            count: head.data.total,
            number: numberText(language, head.data.total),
          })}
        </p>
      )}
      {lost.length > 0 && (
        <div className="trouble" role="status">
          <p>
            <strong>{t('recipients.lost', { count: lost.length })}</strong>
          </p>
          <ul className="outcomes">
            {lost.slice(0, 20).map(({ member, why }, index) => (
              <li key={index}>
                {member.name ?? member.address ?? member.filter ?? member.member}:{' '}
                <span lang="en">{why}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      <PageTable
        label={t('list.recipients')}
        columns={columns}
        list={rows}
        keyOf={({ address }) => address}
        empty={t('recipients.none')}
      />
    </>
  )
}
