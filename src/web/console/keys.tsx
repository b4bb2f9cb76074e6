import { useEffect, useRef, useState } from 'react'
import type { ReactNode } from 'react'

import { go } from '#web/parts/address.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { TYPED_INTO } from '#web/parts/typed-into.ts'

const SECOND_KEY_MS = 1_500

/** Keys of all pages: `/` to the search, `?` for this list, `g` and a letter for a page; never while text is typed. */
export function Keys(props: {
  readonly rooms: readonly { readonly key: string; readonly path: string }[]
}): ReactNode {
  const { t } = useWords()
  const [isShown, setShown] = useState(false)
  const goneMs = useRef(0)
  const { rooms } = props
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.target instanceof HTMLElement && event.target.matches(TYPED_INTO)) return
      const isSecond = performance.now() - goneMs.current < SECOND_KEY_MS
      goneMs.current = 0
      const room = isSecond ? rooms.find(({ key }) => key === event.key) : undefined
      const search = document.querySelector<HTMLInputElement>('main [data-search]')
      if (room !== undefined) go(room.path)
      else if (event.key === 'g') goneMs.current = performance.now()
      else if (event.key === '?') setShown(true)
      else if (event.key === '/' && search !== null) search.focus()
      else return
      event.preventDefault()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [rooms])
  if (!isShown) return null
  return (
    <Dialog title={t('keys')} onClose={() => setShown(false)}>
      <dl className="keys">
        <dt>
          <kbd>/</kbd>
        </dt>
        <dd>{t('keys.search')}</dd>
        <dt>
          <kbd>j</kbd> <kbd>k</kbd>
        </dt>
        <dd>{t('keys.rows')}</dd>
        <dt>
          <kbd>g</kbd>
        </dt>
        <dd>{t('keys.go')}</dd>
        <dt>
          <kbd>?</kbd>
        </dt>
        <dd>{t('keys.help')}</dd>
      </dl>
    </Dialog>
  )
}
