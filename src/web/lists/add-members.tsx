import { Button, FileButton, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { AddedRow, ListBody, membersAdded } from '#contract/admin/lists.ts'
import { ask, part } from '#web/parts/api.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import { useDone } from './undo.ts'

type Added = z.infer<typeof membersAdded>

/** A column of a spreadsheet, pasted: shows who is meant and what is unclear, then adds them. */
export function AddMembers(props: {
  readonly list: ListBody
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const { list, onClose } = props
  const done = useDone(list.address)
  const [text, setText] = useState('')
  /** Of names that several bear: which one is meant. */
  const [meant, setMeant] = useState<Readonly<Record<string, string>>>({})
  const send = (preview: boolean): Promise<Added> => {
    const who = Object.values(meant).filter((each) => each !== '')
    const body = { text, ...(who.length > 0 && { who }), preview }
    return ask<Added>('POST', `/lists/${part(list.address)}/members`, { body })
  }
  const look = useMutation({ mutationFn: () => send(true) })
  const add = useMutation({
    mutationFn: () => send(false),
    onSuccess: (answer) => {
      const count = answer.rows.filter(({ outcome }) => outcome === 'added').length
      onClose()
      done(t('member.added', { count }), answer)
    },
  })
  const change = (next: string): void => {
    setText(next)
    look.reset()
  }
  const rows = look.data?.rows
  const adds = (rows ?? []).filter(({ outcome }) => outcome === 'added' || outcome === 'changed')
  const count = adds.length + Object.values(meant).filter((each) => each !== '').length
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
        <Textarea
          label={t('member.paste')}
          description={t('member.pasteHint')}
          classNames={{ input: 'paste' }}
          value={text}
          onChange={(event) => change(event.currentTarget.value)}
          autoFocus
          spellCheck={false}
        />
        <FileButton
          accept=".csv,.txt,.tsv"
          onChange={(file) => {
            if (file !== null) void textOfFile(file).then(change)
          }}
        >
          {(file) => (
            <div>
              <Button {...file} variant="default" size="compact-sm">
                {t('member.file')}
              </Button>
            </div>
          )}
        </FileButton>
        {rows !== undefined && (
          <Preview rows={rows} meant={meant} onMeant={(next) => setMeant({ ...meant, ...next })} />
        )}
        {(look.error ?? add.error) !== null && <Trouble error={look.error ?? add.error} />}
        <div className="acts">
          {rows === undefined ? (
            <Button type="submit" loading={look.isPending} disabled={text.trim() === ''}>
              {t('member.look')}
            </Button>
          ) : (
            <Button type="submit" loading={add.isPending} disabled={count === 0}>
              {t('member.addCount', { count })}
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

const ORDER = ['unclear', 'unknown', 'refused', 'added', 'changed', 'same'] as const

function Preview(props: {
  readonly rows: readonly AddedRow[]
  readonly meant: Readonly<Record<string, string>>
  readonly onMeant: (next: Readonly<Record<string, string>>) => void
}): ReactNode {
  const { t } = useWords()
  const { rows, meant, onMeant } = props
  // What somebody has to look at stands first.
  const sorted = rows.toSorted((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome))
  return (
    <div className="scrolled" tabIndex={0} role="region" aria-label={t('member.look')}>
      <table className="plain">
        <thead>
          <tr>
            <th>{t('member.pasted')}</th>
            <th>{t('member.meant')}</th>
            <th>{t('member.outcome')}</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((row, index) => (
            <tr key={index}>
              <td>{row.text}</td>
              <td>
                {row.candidates === undefined ? (
                  [row.member?.name, row.member?.address].filter(Boolean).join(' · ')
                ) : (
                  <select
                    aria-label={t('member.which', { name: row.text })}
                    value={meant[row.text] ?? ''}
                    onChange={(event) => onMeant({ [row.text]: event.currentTarget.value })}
                  >
                    <option value="">{t('member.nobody')}</option>
                    {row.candidates.map(({ id, name, address }) => (
                      <option key={id} value={address ?? id}>
                        {[name, address].filter(Boolean).join(' · ')}
                      </option>
                    ))}
                  </select>
                )}
              </td>
              <td>
                {t(`outcome.${row.outcome}`)}
                {row.note !== undefined && (
                  <span className="faint" lang="en">{` ${row.note}`}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** As spreadsheets write it: UTF-8, UTF-16 with its mark, or CP932. */
async function textOfFile(file: File): Promise<string> {
  const octets = new Uint8Array(await file.arrayBuffer())
  if (octets[0] === 0xff && octets[1] === 0xfe) return new TextDecoder('utf-16le').decode(octets)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    return new TextDecoder('shift_jis').decode(octets)
  }
}
