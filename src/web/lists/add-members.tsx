import { Button, FileButton, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { AddedRow, ListBody, membersAdded } from '#contract/admin/lists.ts'
import { ask, part } from '#web/parts/api.ts'
import { DataTable } from '#web/parts/data-table.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { numberText, sizeText } from '#web/parts/times.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import { useDone } from './undo.ts'

type Added = z.infer<typeof membersAdded>

/** Characters of a paste that is put in as a whole. */
const LONG_PASTE = 10_000

/** What the API takes of one file. */
const FILE_BYTES_MAX = 8 * 1024 * 1024

/** A column of a spreadsheet, pasted or as a file: shows who is meant and what is unclear, then adds them. */
export function AddMembers(props: {
  readonly list: ListBody
  readonly onClose: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { list, onClose } = props
  const done = useDone(list.address)
  const [text, setText] = useState('')
  const [file, setFile] = useState<File>()
  /** Of names that several bear: which one is meant. */
  const [meant, setMeant] = useState<Readonly<Record<string, string>>>({})
  const path = `/lists/${part(list.address)}/members`
  const who = Object.values(meant).filter((each) => each !== '')
  const isTooLarge = file !== undefined && file.size > FILE_BYTES_MAX
  const look = useMutation({
    mutationFn: () =>
      file === undefined
        ? ask<Added>('POST', path, { body: { text, preview: true } })
        : ask<Added>('POST', `${path}/import?preview=true`, { file }),
  })
  const add = useMutation({
    mutationFn: async (): Promise<Added> => {
      if (file === undefined)
        return ask<Added>('POST', path, { body: { text, ...(who.length > 0 && { who }) } })
      const answers = [await ask<Added>('POST', `${path}/import`, { file })]
      if (who.length > 0) answers.push(await ask<Added>('POST', path, { body: { who } }))
      const undo = answers.flatMap((answer) => answer.undo ?? []).join(' ')
      return {
        rows: answers.flatMap(({ rows }) => rows),
        ...(undo !== '' && { undo }),
        pending: answers.flatMap(({ pending }) => pending),
      }
    },
    onSuccess: (answer) => {
      const count = answer.rows.filter(({ outcome }) => outcome === 'added').length
      onClose()
      done(t('member.added', { count, number: numberText(language, count) }), answer)
    },
  })
  const change = (next: string): void => {
    setText(next)
    look.reset()
  }
  const choose = (next: File | undefined): void => {
    setFile(next)
    setMeant({})
    look.reset()
    add.reset()
  }
  const rows = look.data?.rows
  const adds = (rows ?? []).filter(({ outcome }) => outcome === 'added' || outcome === 'changed')
  const count = adds.length + who.length
  return (
    <Dialog title={t('member.add')} isWide onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (rows === undefined) look.mutate()
          else add.mutate()
        }}
      >
        {file === undefined && (
          <Textarea
            label={t('member.paste')}
            description={t('member.pasteHint')}
            classNames={{ input: 'paste' }}
            value={text}
            onChange={(event) => change(event.currentTarget.value)}
            onPaste={(event) => {
              // Chromium may take minutes for thousands of lines where it puts each in by itself.
              const pasted = event.clipboardData.getData('text/plain')
              if (pasted.length < LONG_PASTE) return
              event.preventDefault()
              const { selectionStart, selectionEnd } = event.currentTarget
              change(text.slice(0, selectionStart) + pasted + text.slice(selectionEnd))
            }}
            autoFocus
            spellCheck={false}
          />
        )}
        <div className="acts">
          <FileButton
            accept=".csv,.txt,.tsv,text/csv"
            onChange={(next) => choose(next ?? undefined)}
          >
            {(button) => (
              <Button {...button} variant="default" size="compact-sm">
                {t(file === undefined ? 'member.file' : 'member.otherFile')}
              </Button>
            )}
          </FileButton>
          {file !== undefined && (
            <>
              <span>
                {file.name} <span className="faint">{sizeText(language, file.size)}</span>
              </span>
              <Button variant="default" size="compact-sm" onClick={() => choose(undefined)}>
                {t('member.noFile')}
              </Button>
            </>
          )}
        </div>
        {file === undefined && text === '' && <p className="faint">{t('member.fileHint')}</p>}
        {isTooLarge && (
          <p role="alert">
            <Mark kind="bad">
              {t('member.fileTooLarge', { size: sizeText(language, FILE_BYTES_MAX) })}
            </Mark>
          </p>
        )}
        {rows !== undefined && (
          <Preview rows={rows} meant={meant} onMeant={(next) => setMeant({ ...meant, ...next })} />
        )}
        {(look.error ?? add.error) !== null && <Trouble error={look.error ?? add.error} />}
        <div className="acts">
          {rows === undefined ? (
            <Button
              type="submit"
              loading={look.isPending}
              disabled={isTooLarge || (file === undefined && text.trim() === '')}
            >
              {t('member.look')}
            </Button>
          ) : (
            <Button type="submit" loading={add.isPending} disabled={count === 0}>
              {t('member.addCount', { count, number: numberText(language, count) })}
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** What becomes of it; why not, in words of this page where there are some. */
function Outcome({ row }: { readonly row: AddedRow }): ReactNode {
  const { t } = useWords()
  const { outcome, why, note } = row
  const isOdd = why === 'notUnderstood'
  const said = why === undefined ? t(`outcome.${outcome}`) : t(`why.${why}`)
  const more = why === undefined || isOdd ? note : undefined
  return (
    <span title={isOdd ? `${said} (${more ?? ''})` : said}>
      {said}
      {more !== undefined && <span className="faint" lang="en">{` ${more}`}</span>}
    </span>
  )
}

const ORDER = ['unclear', 'unknown', 'refused', 'added', 'changed', 'same'] as const

type Shown = AddedRow & { readonly at: number }

function Preview(props: {
  readonly rows: readonly AddedRow[]
  readonly meant: Readonly<Record<string, string>>
  readonly onMeant: (next: Readonly<Record<string, string>>) => void
}): ReactNode {
  const { t, language } = useWords()
  const { rows, meant, onMeant } = props
  // What somebody has to look at stands first.
  const sorted = useMemo<readonly Shown[]>(
    () =>
      rows
        .map((row, at) => ({ ...row, at }))
        .toSorted((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome)),
    [rows],
  )
  const counts = ORDER.map(
    (outcome) => [outcome, rows.filter((row) => row.outcome === outcome).length] as const,
  )
  const columns: Column<Shown>[] = [
    {
      key: 'text',
      label: t('member.pasted'),
      width: 'minmax(60px, 1fr)',
      cell: ({ text, line }) => (
        <span title={line === undefined ? text : `${line}: ${text}`}>{text}</span>
      ),
    },
    {
      key: 'meant',
      label: t('member.meant'),
      width: 'minmax(80px, 1.4fr)',
      cell: ({ text, member, candidates }) =>
        candidates === undefined ? (
          [member?.name, member?.address].filter(Boolean).join(' · ')
        ) : (
          <select
            className="in-row"
            aria-label={t('member.which', { name: text })}
            value={meant[text] ?? ''}
            onChange={(event) => onMeant({ [text]: event.currentTarget.value })}
          >
            <option value="">{t('member.nobody')}</option>
            {candidates.map(({ id, name, address }) => (
              <option key={id} value={address ?? id}>
                {[name, address].filter(Boolean).join(' · ')}
              </option>
            ))}
          </select>
        ),
    },
    {
      key: 'outcome',
      label: t('member.outcome'),
      width: 'minmax(90px, 1fr)',
      cell: (row) => <Outcome row={row} />,
    },
  ]
  return (
    <>
      <p role="status">
        {counts
          .filter(([, count]) => count > 0)
          .map(([outcome, count]) =>
            t('member.countOf', {
              outcome: t(`outcome.${outcome}`),
              number: numberText(language, count),
            }),
          )
          .join(t('comma'))}
      </p>
      <div className="report">
        <DataTable
          label={t('member.look')}
          columns={columns}
          rows={{ count: sorted.length, rowAt: (at) => sorted[at], hasMore: false }}
          keyOf={({ at }) => String(at)}
          empty=""
        />
      </div>
    </>
  )
}
