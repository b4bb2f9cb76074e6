import { Button, Skeleton } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { numberText } from '#web/parts/times.ts'

import { bulkCounts, changeAll, noChange, peopleOf, previewOf, undoOf } from './bulk-change.ts'
import type { BulkRow, BulkTexts } from './bulk-change.ts'
import { BulkFields } from './bulk-fields.tsx'
import { BulkReport } from './bulk-report.tsx'
import type { Query } from '#web/parts/rows-of.ts'
import { Trouble } from '#web/parts/trouble.tsx'

/** One change of many people: what would become of each is shown before it is done. */
export function ChangePeople(props: {
  readonly chosen: ReadonlySet<string>
  /** What they were chosen from. */
  readonly query: Query
  readonly onClose: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { chosen, query, onClose } = props
  const client = useQueryClient()
  const [texts, setTexts] = useState<BulkTexts>(noChange)
  const [at, setAt] = useState(0)
  const [isBack, setBack] = useState(false)
  const people = useQuery({
    queryKey: ['bulk-people', query, [...chosen]],
    queryFn: ({ signal }) => peopleOf(chosen, query, signal),
    gcTime: 0,
    refetchOnWindowFocus: false,
  })
  const preview = people.data === undefined ? [] : previewOf(people.data, texts)
  const doing = useMutation({
    mutationFn: async (rows: readonly BulkRow[]) => {
      setAt(0)
      return changeAll(rows, setAt)
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['/users'] }),
  })
  const back = undoOf(doing.data ?? [])
  const said = doing.data === undefined ? 'bulk.would' : isBack ? 'bulk.undone' : 'bulk.done'
  const number = numberText(language, chosen.size)
  return (
    <Dialog title={t('bulk.title', { count: chosen.size, number })} isWide onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          doing.mutate(preview)
        }}
      >
        {doing.isIdle && <BulkFields texts={texts} onChange={setTexts} />}
        {people.isPending && <Skeleton height={200} />}
        {people.error !== null && (
          <Trouble error={people.error} retry={() => void people.refetch()} />
        )}
        {doing.isPending ? (
          <p role="status">
            {t('import.doing', {
              at: numberText(language, at),
              of: numberText(language, doing.variables.length),
            })}
          </p>
        ) : (
          people.data !== undefined && <Told rows={doing.data ?? preview} said={said} />
        )}
        <Acts
          changed={bulkCounts(preview).changed}
          isDone={doing.data !== undefined}
          isBusy={doing.isPending}
          onClose={onClose}
          undo={
            isBack || back.length === 0
              ? undefined
              : () => {
                  setBack(true)
                  doing.mutate(back)
                }
          }
        />
      </form>
    </Dialog>
  )
}

function Told(props: {
  readonly rows: readonly BulkRow[]
  readonly said: 'bulk.would' | 'bulk.done' | 'bulk.undone'
}): ReactNode {
  const { t, language } = useWords()
  const { changed, same, refused } = bulkCounts(props.rows)
  return (
    <>
      <p role="status">
        {t(props.said, {
          changed: numberText(language, changed),
          same: numberText(language, same),
          refused: numberText(language, refused),
        })}
      </p>
      <BulkReport rows={props.rows} />
    </>
  )
}

function Acts(props: {
  readonly changed: number
  readonly isDone: boolean
  readonly isBusy: boolean
  readonly onClose: () => void
  readonly undo: (() => void) | undefined
}): ReactNode {
  const { t, language } = useWords()
  const { changed, isDone, isBusy, onClose, undo } = props
  if (isDone)
    return (
      <div className="acts">
        <Button onClick={onClose}>{t('close')}</Button>
        {undo !== undefined && (
          <Button variant="default" onClick={undo}>
            {t('bulk.undo')}
          </Button>
        )}
      </div>
    )
  return (
    <div className="acts">
      <Button type="submit" disabled={changed === 0} loading={isBusy}>
        {t('bulk.do', { count: changed, number: numberText(language, changed) })}
      </Button>
      <Button variant="default" onClick={onClose} disabled={isBusy}>
        {t('cancel')}
      </Button>
    </div>
  )
}
