import { Button, Skeleton } from '@mantine/core'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import type { ReactNode } from 'react'

import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { useSettled } from '#web/parts/settled.ts'
import { numberText } from '#web/parts/times.ts'

import { bulkCounts, changeAll, changeOf, lookAtAll, noChange, undoAll } from './bulk-change.ts'
import type { BulkOutcome, BulkRow, BulkTexts } from './bulk-change.ts'
import { BulkFields } from './bulk-fields.tsx'
import { BulkReport } from './bulk-report.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

const SETTLED_MS = 400

/** One change of many people: what would become of each is shown before it is done. */
export function ChangePeople(props: {
  readonly chosen: ReadonlySet<string>
  readonly onClose: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { chosen, onClose } = props
  const client = useQueryClient()
  const [texts, setTexts] = useState<BulkTexts>(noChange)
  const [at, setAt] = useState(0)
  const [isBack, setBack] = useState(false)
  const stopping = useRef<AbortController>(undefined)
  const settled = useSettled(texts, SETTLED_MS)
  const preview = useQuery({
    queryKey: ['bulk-people', chosen.size, settled],
    queryFn: ({ signal }) => lookAtAll([...chosen], changeOf(settled), signal),
    // What was shown stays until the next is there.
    placeholderData: keepPreviousData,
    gcTime: 0,
    refetchOnWindowFocus: false,
  })
  const isFresh = settled === texts && !preview.isPlaceholderData
  const doing = useMutation({
    mutationFn: async (work: (going: Parameters<typeof undoAll>[1]) => Promise<BulkOutcome>) => {
      setAt(0)
      stopping.current = new AbortController()
      return work({ signal: stopping.current.signal, onRows: setAt })
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['/users'] }),
  })
  const rows = preview.data ?? []
  const done = doing.data
  const said = done === undefined ? 'bulk.would' : isBack ? 'bulk.undone' : 'bulk.done'
  const number = numberText(language, chosen.size)
  return (
    <Dialog title={t('bulk.title', { count: chosen.size, number })} isWide onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          doing.mutate((going) => changeAll(rows, changeOf(texts), going))
        }}
      >
        {doing.isIdle && <BulkFields texts={texts} onChange={setTexts} />}
        {preview.isPending && <Skeleton height={200} />}
        {preview.error !== null && (
          <Trouble error={preview.error} retry={() => void preview.refetch()} />
        )}
        {doing.isPending ? (
          <Progress at={at} of={isBack ? bulkCounts(rows).changed : rows.length} />
        ) : (
          preview.data !== undefined && <Told rows={done?.rows ?? rows} said={said} />
        )}
        <Acts
          changed={isFresh ? bulkCounts(rows).changed : 0}
          isDone={done !== undefined}
          isBusy={doing.isPending}
          onClose={onClose}
          onStop={() => stopping.current?.abort()}
          undo={
            isBack || done === undefined || done.undos.length === 0
              ? undefined
              : () => {
                  setBack(true)
                  doing.mutate((going) => undoAll(done, going))
                }
          }
        />
      </form>
    </Dialog>
  )
}

function Progress({ at, of }: { readonly at: number; readonly of: number }): ReactNode {
  const { t, language } = useWords()
  return (
    <>
      <p role="status">
        {t('bulk.doing', { at: numberText(language, at), of: numberText(language, of) })}
      </p>
      <progress className="wide" aria-hidden value={at} max={of} />
    </>
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
  readonly onStop: () => void
  readonly undo: (() => void) | undefined
}): ReactNode {
  const { t, language } = useWords()
  const { changed, isDone, isBusy, onClose, onStop, undo } = props
  if (isBusy)
    return (
      <div className="acts">
        <Button variant="default" onClick={onStop}>
          {t('bulk.stop')}
        </Button>
      </div>
    )
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
      <Button type="submit" disabled={changed === 0}>
        {t('bulk.do', { count: changed, number: numberText(language, changed) })}
      </Button>
      <Button variant="default" onClick={onClose}>
        {t('cancel')}
      </Button>
    </div>
  )
}
