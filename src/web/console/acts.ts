import { useQueryClient } from '@tanstack/react-query'

import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import { reasonOf } from './reason.ts'

/** What an act of the administrator says when it is done, and how it is taken back. */
export interface Act {
  readonly work: () => Promise<unknown>
  readonly text: string | (() => string)
  readonly undo?: () => void
}

/** Does acts: says what came of each, and looks again at the lists that it changes. Answers whether it was done. */
export function useAct(...lists: readonly string[]): (act: Act) => Promise<boolean> {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  return async ({ work, text, undo }) => {
    let isDone = true
    try {
      await work()
      tell({
        kind: 'done',
        text: typeof text === 'string' ? text : text(),
        ...(undo !== undefined && { undo }),
      })
    } catch (thrown) {
      isDone = false
      tell({
        kind: 'failed',
        text: t('did.failed', { reason: reasonOf(t, thrown) ?? t('trouble.away') }),
      })
    }
    await Promise.all(lists.map((list) => client.invalidateQueries({ queryKey: [list] })))
    return isDone
  }
}
