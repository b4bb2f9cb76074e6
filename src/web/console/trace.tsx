import { Button, Skeleton, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { TraceBody } from '#contract/admin/mail.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'

import { ask, queryOf } from '#web/parts/api.ts'
import { Told } from './told.tsx'
import { storyOf } from './trace-story.ts'
import { Trouble } from '#web/parts/trouble.tsx'

const SHOWN_MAX = 50

/** What became of a message: found by address, Message-ID or delivery id. */
export function Trace(): ReactNode {
  const { t } = useWords()
  const { query } = useAddress()
  const q = query.get('q') ?? ''
  const found = useQuery({
    queryKey: ['trace', q],
    queryFn: ({ signal }) =>
      ask<{ readonly items: readonly TraceBody[] }>(
        'GET',
        `/trace${queryOf({ q, limit: SHOWN_MAX })}`,
        { signal },
      ),
    enabled: q !== '',
  })
  return (
    <>
      <h1>{t('trace.title')}</h1>
      <Search key={q} q={q} />
      {q === '' && <p className="faint">{t('trace.begin')}</p>}
      {found.isError && <Trouble error={found.error} retry={() => void found.refetch()} />}
      {found.isLoading && <Skeleton height={200} mt={16} />}
      {found.data !== undefined && <Found items={found.data.items} wanted={query.get('id')} />}
    </>
  )
}

function Search({ q }: { readonly q: string }): ReactNode {
  const { t } = useWords()
  const [text, setText] = useState(q)
  return (
    <form
      className="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        setQuery({ q: text.trim(), id: undefined })
      }}
    >
      <TextInput
        aria-label={t('trace.what')}
        placeholder={t('trace.what')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        data-search
        type="search"
        spellCheck={false}
      />
      <Button type="submit">{t('trace.search')}</Button>
    </form>
  )
}

function Found(props: {
  readonly items: readonly TraceBody[]
  readonly wanted: string | null
}): ReactNode {
  const { t, language } = useWords()
  const stories = props.items.map(storyOf)
  const at = Math.max(
    0,
    stories.findIndex(({ deliveryId }) => deliveryId === props.wanted),
  )
  const [item, story] = [props.items[at], stories[at]]
  if (item === undefined || story === undefined) return <p>{t('trace.nothing')}</p>
  return (
    <div className={stories.length > 1 ? 'found found-many' : 'found'}>
      {stories.length > 1 && (
        <nav aria-label={t('trace.all')}>
          <ul className="found-list">
            {stories.map((each, index) => (
              <li key={each.deliveryId}>
                <button
                  type="button"
                  aria-current={index === at}
                  onClick={() => setQuery({ id: each.deliveryId })}
                >
                  <span className="faint">{dateText(language, each.startedAt)}</span>
                  <span>{each.from === '<>' ? t('mail.system') : each.from}</span>
                </button>
              </li>
            ))}
          </ul>
        </nav>
      )}
      <Told item={item} story={story} />
    </div>
  )
}
