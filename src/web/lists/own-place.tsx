import { Button, NativeSelect } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { UseMutationResult } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { ownListDone } from '#contract/admin/lists.ts'
import { MEMBER_DELIVERIES } from '#model/list-words.ts'
import { ask } from '#web/parts/api.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { Dialog } from '#web/parts/dialog.tsx'
import { failureText } from '#web/parts/failure-text.ts'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { listed } from '#web/parts/rows-of.ts'

import type { MyListBody, OpenListBody } from './nouns.ts'

type Done = z.infer<typeof ownListDone>
type Named = Pick<MyListBody, 'address' | 'name'>
const nameOf = ({ name, address }: Named): string => name ?? address

/** Does something with the own place in a list, says so, and has the lists looked at again. */
function useOwnAct(
  path: 'join' | 'leave' | 'delivery',
  list: Named,
  said: (done: Done, body: object) => string,
): UseMutationResult<Done, Error, object> {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: object) =>
      ask<Done>('POST', `/me/lists/${path}`, { body: { list: list.address, ...body } }),
    onSuccess: (done, body) => tell({ kind: 'done', text: said(done, body) }),
    onError: (thrown) => tell({ kind: 'failed', text: failureText(t, thrown) }),
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => String(queryKey[0]).startsWith('/me/lists'),
      }),
  })
}

/** How somebody gets the posts of a list, to be chosen by them; in by a group, that is its matter. */
export function OwnDelivery({ list }: { readonly list: MyListBody }): ReactNode {
  const { t } = useWords()
  const name = nameOf(list)
  const choose = useOwnAct('delivery', list, (_, body) =>
    t('own.chosen', { what: t(`delivery.${(body as { delivery: string }).delivery}`) }),
  )
  if (list.delivery === undefined) return ''
  return (
    <NativeSelect
      size="xs"
      aria-label={t('own.delivery', { name })}
      value={list.delivery}
      disabled={choose.isPending}
      onClick={(event) => event.stopPropagation()}
      onChange={(event) => choose.mutate({ delivery: event.currentTarget.value })}
      data={MEMBER_DELIVERIES.map((value) => ({ value, label: t(`delivery.${value}`) }))}
    />
  )
}

/** Ends the own membership, once it is said again: it may be no matter of one's own to come back. */
export function Leave({ list }: { readonly list: MyListBody }): ReactNode {
  const { t } = useWords()
  const name = nameOf(list)
  const [isAsking, setAsking] = useState(false)
  const leave = useOwnAct('leave', list, () => t('own.left', { name }))
  return (
    <span onClick={(event) => event.stopPropagation()}>
      <Button
        size="compact-sm"
        variant="default"
        aria-label={t('own.leaveOf', { name })}
        onClick={() => setAsking(true)}
      >
        {t('own.leave')}
      </Button>
      {isAsking && (
        <Dialog title={t('own.leaveTitle', { name })} onClose={() => setAsking(false)}>
          <p>{t('own.leaveText')}</p>
          <div className="acts">
            <Button
              loading={leave.isPending}
              onClick={() => leave.mutate({}, { onSettled: () => setAsking(false) })}
            >
              {t('own.leave')}
            </Button>
            <Button variant="default" onClick={() => setAsking(false)}>
              {t('own.stay')}
            </Button>
          </div>
        </Dialog>
      )}
    </span>
  )
}

/** Lists that one may join by oneself. */
export function OpenLists(): ReactNode {
  const { t } = useWords()
  const found = useQuery({
    queryKey: ['/me/lists/open'],
    queryFn: () => ask<{ items: OpenListBody[] }>('GET', '/me/lists/open', { background: true }),
  })
  const columns: Column<OpenListBody>[] = [
    { key: 'name', label: t('lists.name'), width: 'minmax(110px, 1fr)', cell: nameOf },
    {
      key: 'address',
      label: t('lists.address'),
      width: 'minmax(140px, 1fr)',
      cell: ({ address }) => address,
      isExtra: true,
    },
    {
      key: 'about',
      label: t('own.about'),
      width: 'minmax(140px, 1.5fr)',
      cell: ({ description }) => description ?? '',
      isExtra: true,
    },
    {
      key: 'join',
      label: t('own.join'),
      width: '150px',
      cell: (list) => <Join list={list} />,
    },
  ]
  return (
    <PageTable
      label={t('lists.open')}
      columns={columns}
      list={listed('/me/lists/open', found.data?.items ?? [], found)}
      keyOf={({ id }) => id}
      empty={t('lists.noneOpen')}
    />
  )
}

function Join({ list }: { readonly list: OpenListBody }): ReactNode {
  const { t } = useWords()
  const name = nameOf(list)
  const join = useOwnAct('join', list, ({ end }) =>
    t(end === 'asked' ? 'own.asked' : 'own.joined', { name }),
  )
  return (
    <Button size="compact-xs" loading={join.isPending} onClick={() => join.mutate({})}>
      {t(list.byApproval ? 'own.ask' : 'own.join')}
    </Button>
  )
}
