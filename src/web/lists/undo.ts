import { useQueryClient } from '@tanstack/react-query'

import { ask, part } from '#web/parts/api.ts'
import { failureText } from '#web/parts/failure-text.ts'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import type { Undoable } from './nouns.ts'

/** Says what was done with a list, offers to take it back, and has the page look again. */
export function useDone(address: string): (text: string, done: Undoable) => void {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const again = (): void => {
    void client.invalidateQueries({
      predicate: ({ queryKey }) => String(queryKey[0]).startsWith('/lists/'),
    })
  }
  const undone = async (undo: string): Promise<void> => {
    try {
      await ask('POST', `/lists/${part(address)}/undo`, { body: { undo } })
      tell({ kind: 'done', text: t('lists.undone') })
    } catch (thrown) {
      tell({ kind: 'failed', text: failureText(t, thrown) })
    }
    again()
  }
  return (text, { undo }) => {
    tell({ kind: 'done', text, ...(undo !== undefined && { undo: () => void undone(undo) }) })
    again()
  }
}
