import { useEffect } from 'react'
import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { listPostWhole } from '#contract/admin/posts.ts'
import { go } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { TYPED_INTO } from '#web/parts/typed-into.ts'

/** From a post to those beside it, in the archive and in its thread; by keys too, as in a table of them. */
export function Beside(props: {
  readonly post: z.infer<typeof listPostWhole>
  /** The list's page. */
  readonly path: string
}): ReactNode {
  const { t } = useWords()
  const { post, path } = props
  const { older, newer, thread } = post
  const ways: readonly Way[] = [
    { key: 'k', word: 'newer', to: newer },
    { key: 'j', word: 'older', to: older },
    { key: 'p', word: 'before', to: thread?.older },
    { key: 'n', word: 'after', to: thread?.newer },
  ]
  const told = JSON.stringify(ways)
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
      const { target } = event
      if (target instanceof HTMLElement && target.matches(`${TYPED_INTO}, [role=grid]`)) return
      const way = (JSON.parse(told) as readonly Way[]).find(({ key }) => key === event.key)
      if (way?.to !== undefined) go(`${path}/posts/${way.to}`)
      else if (event.key === 'Escape') go(`${path}?tab=posts`)
      else return
      event.preventDefault()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [told, path])
  const link = ({ key, word, to }: Way): ReactNode =>
    to === undefined ? (
      <span key={key} className="faint">
        {t(`post.${word}`)}
      </span>
    ) : (
      <Link key={key} to={`${path}/posts/${to}`} shortcut={key}>
        {t(`post.${word}`)}
      </Link>
    )
  return (
    <nav className="beside" aria-label={t('post.beside')}>
      <span className="beside-ways">{ways.slice(0, 2).map(link)}</span>
      {thread !== undefined && (
        <span className="beside-ways">
          <span>{t('post.thread', { place: thread.place, count: thread.count })}</span>
          {ways.slice(2).map(link)}
        </span>
      )}
    </nav>
  )
}

interface Way {
  readonly key: string
  readonly word: string
  readonly to?: number | undefined
}
