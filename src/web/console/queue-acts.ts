import { useQueryClient } from '@tanstack/react-query'

import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import { ask, part } from '#web/parts/api.ts'

export type QueueAct = 'hold' | 'release' | 'retry' | 'drop'

/** What takes an act back. */
const OPPOSITE: Partial<Record<QueueAct, QueueAct>> = { hold: 'release', release: 'hold' }
/** Acts under way at once. */
const TOGETHER = 8

/** Does an act on messages, says what came of it, and offers to take it back where that can be. */
export function useQueueActs(): (act: QueueAct, ids: readonly string[]) => Promise<void> {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const run = async (act: QueueAct, ids: readonly string[]): Promise<void> => {
    const done: string[] = []
    const waiting = ids.values()
    const work = async (): Promise<void> => {
      for (const id of waiting) {
        const { changed } = await ask<{ readonly changed: number }>(
          'POST',
          `/queue/${part(id)}/${act}`,
        ).catch(() => ({ changed: 0 }))
        if (changed > 0) done.push(id)
      }
    }
    await Promise.all(Array.from({ length: TOGETHER }, work))
    await client.invalidateQueries({ queryKey: ['/queue'] })
    const opposite = OPPOSITE[act]
    if (done.length > 0)
      tell({
        kind: 'done',
        text: t(`did.${act}`, { count: done.length }),
        ...(opposite !== undefined && { undo: () => void run(opposite, done) }),
      })
    if (done.length < ids.length)
      tell({ kind: 'failed', text: t('did.not', { count: ids.length - done.length }) })
  }
  return run
}
