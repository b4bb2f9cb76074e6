import { Button, Skeleton } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { directoryChange } from '#contract/admin/directory.ts'
import { ask, queryOf } from '#web/parts/api.ts'
import { useWords } from '#web/parts/language.ts'
import type { Page } from '#web/parts/rows-of.ts'
import { dateText, relativeText } from '#web/parts/times.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import { fieldsChanged } from './fields-changed.ts'
import type { FieldChange } from './fields-changed.ts'

type Change = typeof directoryChange._zod.output

const PAGE_ROWS = 20
const NAMED = new Set(
  'name reading formerNames tags externalId startsOn expiresOn addresses delegated disabled role'.split(
    ' ',
  ),
)

/** Who changed what of an account, the latest first; asked for when somebody wants to know. */
export function PersonHistory({ id }: { readonly id: string }): ReactNode {
  const { t } = useWords()
  const [isOpen, setOpen] = useState(false)
  const found = useInfiniteQuery({
    enabled: isOpen,
    queryKey: ['/users', 'history', id],
    queryFn: ({ signal, pageParam }) =>
      ask<Page<Change>>(
        'GET',
        `/directory/history${queryOf({ key: `account:${id}`, limit: PAGE_ROWS, after: pageParam })}`,
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  })
  const changes = found.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('people.history')}</summary>
      {found.isLoading && <Skeleton height={80} />}
      {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && changes.length === 0 && (
        <p className="faint">{t('people.historyNone')}</p>
      )}
      {changes.map((change) => (
        <One key={change.seq} change={change} />
      ))}
      {found.hasNextPage && (
        <Button
          variant="default"
          size="compact-sm"
          loading={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          {t('people.historyMore')}
        </Button>
      )}
    </details>
  )
}

function One({ change }: { readonly change: Change }): ReactNode {
  const { t, language } = useWords()
  const { at, who, from, before, after } = change
  const fields = before === null || after === null ? [] : fieldsChanged(before, after)
  const whole = before === null ? 'people.historyMade' : 'people.historyGone'
  return (
    <section className="change">
      <p>
        <time dateTime={at} title={relativeText(language, at)}>
          {dateText(language, at)}
        </time>{' '}
        {t('people.historyBy', { who, from })}
      </p>
      <ul>
        {(before === null || after === null) && <li>{t(whole)}</li>}
        {fields.map((field) => (
          <Field key={field.name} field={field} />
        ))}
      </ul>
    </section>
  )
}

function Field({ field }: { readonly field: FieldChange }): ReactNode {
  const { t } = useWords()
  const { name, before, after } = field
  const label = NAMED.has(name) ? t(`people.${name}`) : undefined
  return (
    <li>
      {label ?? <span className="code">{name}</span>}
      {': '}
      {before !== '' && <del>{before}</del>} {after !== '' && <ins>{after}</ins>}
      {before === '' && after === '' && t('people.historySecret')}
    </li>
  )
}
