import { Button, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { ListBody } from '#contract/admin/lists.ts'
import type { postsDecided } from '#contract/admin/posts.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { ask, part } from '#web/parts/api.ts'
import { choiceColumn } from '#web/parts/choice-column.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { Dialog } from '#web/parts/dialog.tsx'
import { failureText } from '#web/parts/failure-text.ts'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { listed } from '#web/parts/rows-of.ts'
import { relativeText } from '#web/parts/times.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import { HeldPost } from './held-post.tsx'
import type { HeldPostBody } from './nouns.ts'

const LOOK_MS = 15_000
/** Longer than it is offered: a click at the last moment still counts. */
const UNDO_SECONDS = 30

/** Posts that wait for somebody to decide, many at once. */
export function Waiting({ list }: { readonly list: ListBody }): ReactNode {
  const { t, language } = useWords()
  const path = `/lists/${part(list.address)}/held`
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [rejecting, setRejecting] = useState<ReadonlySet<string>>()
  const found = useQuery({
    queryKey: [path],
    queryFn: () => ask<{ items: HeldPostBody[] }>('GET', path, { background: true }),
    refetchInterval: LOOK_MS,
  })
  const items = (found.data?.items ?? []).filter(({ ending }) => ending === null)
  const still = new Set([...chosen].filter((key) => items.some((row) => keyOf(row) === key)))
  const id = useAddress().query.get('id') ?? undefined
  const opened = items.some((row) => keyOf(row) === id) ? id : undefined
  const settled = (): void => {
    setChosen(new Set())
    setQuery({ id: undefined })
  }
  const columns: Column<HeldPostBody>[] = [
    choiceColumn<HeldPostBody>(t, {
      keyOf,
      nameOf: ({ subject }) => (subject === '' ? t('post.noSubject') : subject),
      chosen: still,
      onChoose: setChosen,
      all: items.map(keyOf),
    }),
    {
      key: 'subject',
      label: t('post.subject'),
      width: 'minmax(140px, 1.5fr)',
      cell: ({ subject }) => (subject === '' ? t('post.noSubject') : subject),
    },
    {
      key: 'from',
      label: t('post.author'),
      width: 'minmax(120px, 1fr)',
      cell: ({ from, proof }) => (
        <>
          {from}
          {proof !== 'proved' && <span className="faint">{` ${t(`proof.${proof}`)}`}</span>}
        </>
      ),
    },
    {
      key: 'reason',
      label: t('held.why'),
      width: 'minmax(110px, 0.8fr)',
      cell: ({ reason }) => t(`held.${reason}`),
      isExtra: true,
    },
    {
      key: 'at',
      label: t('held.since'),
      width: '120px',
      cell: ({ heldAt }) => <time dateTime={heldAt}>{relativeText(language, heldAt)}</time>,
      isExtra: true,
    },
  ]
  return (
    <>
      {still.size > 0 && (
        <div className="bulk" role="toolbar" aria-label={t('held.chosen', { count: still.size })}>
          <strong>{t('held.chosen', { count: still.size })}</strong>
          <Decide
            list={list}
            chosen={still}
            onDone={settled}
            onReject={() => setRejecting(still)}
          />
        </div>
      )}
      <PageTable
        label={t('list.waiting')}
        columns={columns}
        list={listed(path, items, found)}
        keyOf={keyOf}
        chosen={still}
        onChoose={setChosen}
        opened={opened}
        onOpen={(row) => setQuery({ id: keyOf(row) })}
        empty={t('held.none')}
        detail={
          opened !== undefined && (
            <HeldPost key={opened} list={list} number={opened}>
              <Decide
                list={list}
                chosen={new Set([opened])}
                onDone={settled}
                onReject={() => setRejecting(new Set([opened]))}
              />
            </HeldPost>
          )
        }
      />
      {rejecting !== undefined && (
        <Reject
          list={list}
          chosen={rejecting}
          onClose={() => setRejecting(undefined)}
          onDone={settled}
        />
      )}
    </>
  )
}

const keyOf = ({ number }: HeldPostBody): string => String(number)

type Decided = z.infer<typeof postsDecided>

/** Decides, says so, and offers to take it back: what has not gone out, and what nobody has been told. */
function useDecision(list: ListBody, onDone: () => void) {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const path = `/lists/${part(list.address)}`
  const again = (): Promise<void> =>
    client.invalidateQueries({
      predicate: ({ queryKey }) => /\/(?:held|posts)$/.test(String(queryKey[0])),
    })
  const undo = async (act: 'held/restore' | 'posts/withdraw', numbers: number[]): Promise<void> => {
    try {
      const { items } = await ask<Decided>('POST', `${path}/${act}`, { body: { numbers } })
      const isDone = items.every(({ end }) => end === 'done')
      const word = act === 'held/restore' ? 'lists.undone' : 'post.taken'
      tell({ kind: isDone ? 'done' : 'failed', text: t(isDone ? word : 'post.tooLate') })
    } catch (thrown) {
      tell({ kind: 'failed', text: failureText(t, thrown) })
    }
    await again()
  }
  return useMutation({
    mutationFn: (act: { readonly path: string; readonly body: object; readonly word: string }) =>
      ask<Decided>('POST', `${path}/held/${act.path}`, { body: act.body }),
    onSuccess: async ({ items }, act) => {
      const done = items.filter(({ end }) => end === 'done')
      const back =
        act.path === 'approve'
          ? (list.withdrawSeconds ?? 0) > 0
            ? () =>
                void undo(
                  'posts/withdraw',
                  done.flatMap(({ post }) => post ?? []),
                )
            : undefined
          : () =>
              void undo(
                'held/restore',
                done.map(({ number }) => number),
              )
      tell({
        kind: done.length === items.length ? 'done' : 'failed',
        text: t(act.word, { count: done.length }),
        ...(back !== undefined && done.length > 0 && { undo: back }),
      })
      onDone()
      await again()
    },
  })
}

function Decide(props: {
  readonly list: ListBody
  readonly chosen: ReadonlySet<string>
  readonly onDone: () => void
  readonly onReject: () => void
}): ReactNode {
  const { t } = useWords()
  const { list, chosen, onDone, onReject } = props
  const decide = useDecision(list, onDone)
  const numbers = [...chosen].map(Number)
  const discard = { numbers, undoSeconds: UNDO_SECONDS }
  return (
    <>
      <Button
        size="compact-sm"
        loading={decide.isPending}
        onClick={() => decide.mutate({ path: 'approve', body: { numbers }, word: 'held.approved' })}
      >
        {t('held.approve')}
      </Button>
      <Button variant="default" size="compact-sm" onClick={onReject}>
        {t('held.reject')}
      </Button>
      <Button
        variant="default"
        size="compact-sm"
        loading={decide.isPending}
        title={t('held.discardHint')}
        onClick={() => decide.mutate({ path: 'discard', body: discard, word: 'held.discarded' })}
      >
        {t('held.discard')}
      </Button>
      {decide.error !== null && <Trouble error={decide.error} />}
    </>
  )
}

/** Their authors are told, with a word of whoever refuses. */
function Reject(props: {
  readonly list: ListBody
  readonly chosen: ReadonlySet<string>
  readonly onClose: () => void
  readonly onDone: () => void
}): ReactNode {
  const { t } = useWords()
  const { list, chosen, onClose, onDone } = props
  const [text, setText] = useState('')
  const reject = useDecision(list, () => {
    onDone()
    onClose()
  })
  const numbers = [...chosen].map(Number)
  return (
    <Dialog title={t('held.rejectTitle', { count: chosen.size })} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          const body = {
            numbers,
            undoSeconds: UNDO_SECONDS,
            ...(text.trim() !== '' && { text: text.trim() }),
          }
          reject.mutate({ path: 'reject', body, word: 'held.rejected' })
        }}
      >
        <Textarea
          label={t('held.rejectText')}
          minRows={4}
          autosize
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          autoFocus
        />
        {reject.error !== null && <Trouble error={reject.error} />}
        <div className="acts">
          <Button type="submit" loading={reject.isPending}>
            {t('held.reject')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
