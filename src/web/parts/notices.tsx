import { createContext, useCallback, useContext, useMemo, useRef, useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from './language.ts'

interface Notice {
  readonly id: number
  readonly text: string
  readonly kind: 'done' | 'failed'
  readonly undo?: () => void
}

/** Says what was done; with `undo`, for as long as it can be taken back. */
export type Tell = (notice: Omit<Notice, 'id'>) => void

const SHOWN_MS = 10_000
const SHOWN_MAX = 3

const Context = createContext<Tell>(() => undefined)

export const useNotices = (): Tell => useContext(Context)

/** Where notices appear: read out, never in the way, gone after 10 s. */
export function Notices({ children }: { readonly children: ReactNode }): ReactNode {
  const { t } = useWords()
  const [shown, setShown] = useState<readonly Notice[]>([])
  const next = useRef(0)
  const drop = useCallback((id: number): void => {
    setShown((now) => now.filter((each) => each.id !== id))
  }, [])
  const tell = useCallback<Tell>(
    (notice) => {
      const id = next.current++
      setShown((now) => [...now, { ...notice, id }].slice(-SHOWN_MAX))
      setTimeout(() => drop(id), SHOWN_MS)
    },
    [drop],
  )
  const value = useMemo(() => tell, [tell])
  return (
    <Context value={value}>
      {children}
      <div className="notices" role="status" aria-live="polite">
        {shown.map((notice) => (
          <div key={notice.id} className={`notice notice-${notice.kind}`}>
            <span>{notice.text}</span>
            {notice.undo !== undefined && (
              <button
                type="button"
                onClick={() => {
                  drop(notice.id)
                  notice.undo?.()
                }}
              >
                {t('undo')}
              </button>
            )}
            <button type="button" aria-label={t('close')} onClick={() => drop(notice.id)}>
              ×
            </button>
          </div>
        ))}
      </div>
    </Context>
  )
}
