import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { ListBody } from '#contract/admin/lists.ts'
import type { listPostRecipients, listPostWhole, postsDecided } from '#contract/admin/posts.ts'
import { ApiFailure, ask, part } from '#web/parts/api.ts'
import { DataTable } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { useNotices } from '#web/parts/notices.tsx'
import { dateText, numberText, sizeText } from '#web/parts/times.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import { Beside } from './beside.tsx'
import { Letter } from './letter.tsx'
import { pathOf } from './my-lists.tsx'

type Whole = z.infer<typeof listPostWhole>

/** One post, at the address that its Archived-At names (RFC 5064). */
export function Post(props: {
  readonly list: ListBody
  readonly number: string
  readonly mayChange: boolean
  readonly mayDecide: boolean
}): ReactNode {
  const { t, language } = useWords()
  const { list, number, mayChange, mayDecide } = props
  const path = `/lists/${part(list.address)}/posts/${part(number)}`
  const found = useQuery({
    queryKey: [path],
    queryFn: () => ask<Whole>('GET', path, { background: true }),
  })
  const post = found.data
  if (found.error instanceof ApiFailure && found.error.status === 404)
    return (
      <div role="alert">
        <p>{t('post.isNot', { number })}</p>
        <p>
          <Link to={`${pathOf(list.address)}?tab=posts`}>{t('post.toAll')}</Link>
        </p>
      </div>
    )
  if (post === undefined)
    return found.error === null ? (
      <p className="faint">{t('loading')}</p>
    ) : (
      <Trouble error={found.error} retry={() => void found.refetch()} />
    )
  return (
    <article>
      <Beside post={post} path={pathOf(list.address)} />
      <h2>{post.subject === '' ? t('post.noSubject') : post.subject}</h2>
      <p className="faint">
        {t('post.by', { author: post.author, time: dateText(language, post.postedAt) })}
        {post.recipients !== null &&
          ` · ${t('post.to', { count: post.recipients, number: numberText(language, post.recipients) })}`}
        {` · ${sizeText(language, post.sizeBytes)}`}
      </p>
      {post.waits && mayChange && <Withdraw list={list} post={post} />}
      <Letter letter={post} />
      <div className="acts">
        <a
          className="as-link"
          href={`data:message/rfc822;base64,${post.raw}`}
          download={`${list.address}-${post.number}.eml`}
        >
          {t('post.file')}
        </a>
      </div>
      {post.recipients !== null && mayDecide && <Received path={path} count={post.recipients} />}
    </article>
  )
}

/** It has not gone out yet. */
function Withdraw({ list, post }: { readonly list: ListBody; readonly post: Whole }): ReactNode {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const withdraw = useMutation({
    mutationFn: () =>
      ask<z.infer<typeof postsDecided>>('POST', `/lists/${part(list.address)}/posts/withdraw`, {
        body: { numbers: [post.number] },
      }),
    onSuccess: async ({ items }) => {
      const isDone = items[0]?.end === 'done'
      tell({
        kind: isDone ? 'done' : 'failed',
        text: t(isDone ? 'post.taken' : 'post.tooLate'),
      })
      await client.invalidateQueries({
        predicate: ({ queryKey }) => String(queryKey[0]).includes('/posts'),
      })
    },
  })
  return (
    <p>
      {t('post.waitsStill')}{' '}
      <Button
        variant="default"
        size="compact-sm"
        loading={withdraw.isPending}
        onClick={() => withdraw.mutate()}
      >
        {t('post.withdraw')}
      </Button>
    </p>
  )
}

/** Whom it went to; asked for when somebody wants to know. */
function Received({ path, count }: { readonly path: string; readonly count: number }): ReactNode {
  const { t, language } = useWords()
  const [isOpen, setOpen] = useState(false)
  const [text, setText] = useState('')
  const found = useQuery({
    queryKey: [`${path}/recipients`],
    enabled: isOpen,
    queryFn: () => ask<z.infer<typeof listPostRecipients>>('GET', `${path}/recipients`),
  })
  const word = text.normalize('NFKC').trim().toLowerCase()
  const items = useMemo(
    () => (found.data?.items ?? []).filter(({ address }) => address.toLowerCase().includes(word)),
    [found.data, word],
  )
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('post.received', { number: numberText(language, count) })}</summary>
      {found.error !== null && <Trouble error={found.error} />}
      {found.isLoading && <p className="faint">{t('loading')}</p>}
      {found.data !== undefined && (
        <>
          <div className="filters">
            <input
              className="filter"
              type="search"
              aria-label={t('post.receivedSearch')}
              placeholder={t('post.receivedSearch')}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
          </div>
          <div className="report">
            <DataTable<z.infer<typeof listPostRecipients>['items'][number]>
              key={word}
              label={t('list.recipients')}
              columns={[
                {
                  key: 'address',
                  label: t('member.address'),
                  width: '1fr',
                  cell: (row) => row.address,
                },
              ]}
              rows={{ count: items.length, rowAt: (at) => items[at], hasMore: false }}
              keyOf={({ address }) => address}
              empty={t('post.receivedNot')}
            />
          </div>
        </>
      )}
    </details>
  )
}
