import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { ListBody } from '#contract/admin/lists.ts'
import type { heldPost } from '#contract/admin/posts.ts'
import { setQuery } from '#web/parts/address.ts'
import { ask, part } from '#web/parts/api.ts'
import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import { Letter, LetterFields, Verdict } from './letter.tsx'

/** A post that waits, beside the others: what it says, who wrote it and how sure that is; what is done with it stands below. */
export function HeldPost(props: {
  readonly list: ListBody
  readonly number: string
  readonly children: ReactNode
}): ReactNode {
  const { t, language } = useWords()
  const { list, number } = props
  const path = `/lists/${part(list.address)}/held/${part(number)}`
  const found = useQuery({
    queryKey: [path],
    queryFn: () => ask<z.infer<typeof heldPost>>('GET', path),
    // Each look is told to others: looking again takes somebody who asks for it.
    staleTime: Infinity,
    retry: false,
  })
  const sheet = useRef<HTMLElement>(null)
  useEffect(() => {
    sheet.current?.focus()
    // Whoever has closed it goes on where it was opened.
    return () => document.querySelector<HTMLElement>('.desk [role=grid]')?.focus()
  }, [number])
  const post = found.data
  const close = (): void => setQuery({ id: undefined })
  return (
    <aside
      className="sheet detail letter-sheet"
      aria-label={t('held.one')}
      tabIndex={-1}
      ref={sheet}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close()
      }}
    >
      <div className="detail-head">
        <h2>{post === undefined || post.subject === '' ? t('held.one') : post.subject}</h2>
        <button type="button" aria-label={t('close')} onClick={close}>
          ×
        </button>
      </div>
      {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <p className="faint">{t('loading')}</p>}
      {post !== undefined && (
        <>
          <p>
            {t(`held.${post.reason}`)}
            {` · ${t(`proof.told.${post.proof}`)}`}
            <span className="faint">{` · ${dateText(language, post.heldAt)}`}</span>
          </p>
          {post.decidedBy === 'author' && <p className="faint">{t('held.byAuthor')}</p>}
          <div className="acts">{props.children}</div>
          <Verdict verdict={post.verdict} />
          <LetterFields letter={post} />
          <Letter letter={post} />
        </>
      )}
    </aside>
  )
}
