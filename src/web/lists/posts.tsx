import type { ReactNode } from 'react'

import type { ListBody } from '#contract/admin/lists.ts'
import type { ListPostBody } from '#contract/admin/posts.ts'
import { go, useAddress } from '#web/parts/address.ts'
import { part } from '#web/parts/api.ts'
import type { Column } from '#web/parts/data-table.tsx'
import { FilterText } from '#web/parts/filter-text.tsx'
import { useWords } from '#web/parts/language.ts'
import { PageTable } from '#web/parts/page-table.tsx'
import { dateText } from '#web/parts/times.ts'
import { useWindow } from '#web/parts/window-of.ts'

import { pathOf } from './my-lists.tsx'

/** What was posted, newest first; found by words. */
export function Posts({ list }: { readonly list: ListBody }): ReactNode {
  const { t, language } = useWords()
  const text = useAddress().query.get('text') ?? undefined
  const path = `/lists/${part(list.address)}/posts`
  const rows = useWindow<ListPostBody>(path, { text })
  const columns: Column<ListPostBody>[] = [
    {
      key: 'number',
      label: t('post.number'),
      width: '72px',
      cell: ({ number }) => <span className="number">{number}</span>,
    },
    {
      key: 'subject',
      label: t('post.subject'),
      width: 'minmax(140px, 1.6fr)',
      cell: ({ subject, waits, withdrawnBy }) => (
        <>
          {subject === '' ? t('post.noSubject') : subject}
          {waits && <span className="faint">{` ${t('post.waits')}`}</span>}
          {withdrawnBy !== null && <span className="faint">{` ${t('post.withdrawn')}`}</span>}
        </>
      ),
    },
    {
      key: 'author',
      label: t('post.author'),
      width: 'minmax(110px, 1fr)',
      cell: ({ author }) => <span title={author}>{nameIn(author)}</span>,
    },
    {
      key: 'at',
      label: t('post.at'),
      width: '190px',
      cell: ({ postedAt }) => dateText(language, postedAt),
      isExtra: true,
    },
    {
      key: 'recipients',
      label: t('post.recipients'),
      width: '80px',
      cell: ({ recipients }) => <span className="number">{recipients ?? ''}</span>,
      isExtra: true,
    },
  ]
  return (
    <>
      <div className="filters">
        <FilterText name="text" label={t('post.search')} />
      </div>
      <PageTable
        label={t('list.posts')}
        columns={columns}
        list={rows}
        keyOf={({ number }) => String(number)}
        onOpen={({ number }) => go(`${pathOf(list.address)}/posts/${number}`)}
        empty={text === undefined ? t('post.none') : t('post.notFound')}
      />
    </>
  )
}

/** The name that a sender is shown by; where there is none, the address. */
const nameIn = (author: string): string => {
  const name = author.replace(/\s*<[^<>]*>$/, '').replace(/^"(.*)"$/, '$1')
  return name === '' ? author : name
}
