import { Button, Checkbox, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import { ApiFailure } from '#web/parts/api.ts'
import { Trouble } from '#web/parts/trouble.tsx'

/** Text of each field; a list has blanks or commas between, a flag is `yes` or empty. */
export type Values = Readonly<Record<string, string>>

export interface EditField {
  readonly name: string
  readonly label: string
  readonly hint?: string
  readonly isFlag?: boolean
  /** A day of the calendar. */
  readonly isDay?: boolean
  readonly isOptional?: boolean
}

interface Seen {
  readonly values: Values
  readonly version: string
}

/**
 * A row of the directory to be edited. Where somebody else has changed it since it was seen, both
 * values stand side by side, and nothing is written until one is chosen.
 */
export function EditRow(props: {
  readonly fields: readonly EditField[]
  readonly seen: Seen
  readonly save: (values: Values, version: string) => Promise<unknown>
  /** The row as it is now. */
  readonly now: () => Promise<Seen>
  readonly said: string
  /** Lists that show it. */
  readonly lists: readonly string[]
}): ReactNode {
  const { t } = useWords()
  const { fields, seen, lists } = props
  const tell = useNotices()
  const client = useQueryClient()
  const [edited, setEdited] = useState<Values>()
  const [theirs, setTheirs] = useState<Seen & { readonly who: string }>()
  const values = edited ?? seen.values
  const [base, setBase] = useState<Seen>()
  const done = async (): Promise<void> => {
    setEdited(undefined)
    setTheirs(undefined)
    setBase(undefined)
    save.reset()
    await Promise.all(lists.map((list) => client.invalidateQueries({ queryKey: [list] })))
  }
  const save = useMutation({
    mutationFn: (version: string) => props.save(values, version),
    onSuccess: async () => {
      await done()
      tell({ kind: 'done', text: props.said })
    },
    onError: async (thrown) => {
      if (!(thrown instanceof ApiFailure) || thrown.status !== 409) return
      const now = await props.now().catch(() => undefined)
      // Refused for another reason: the row is as it was.
      if (now !== undefined && now.version !== (base ?? seen).version)
        setTheirs({ ...now, who: thrown.message })
    },
  })
  const isChanged = fields.some(({ name }) => values[name] !== seen.values[name])
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate((base ?? seen).version)
      }}
    >
      {fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={values[field.name] ?? ''}
          onChange={(text) => {
            // What one edits is held against what one saw when one began.
            if (edited === undefined) setBase(seen)
            setEdited({ ...values, [field.name]: text })
          }}
        />
      ))}
      {theirs !== undefined ? (
        <Conflict fields={fields} mine={values} theirs={theirs}>
          <Button
            color="red.9"
            loading={save.isPending}
            onClick={() => save.mutate(theirs.version)}
          >
            {t('conflict.again')}
          </Button>
          <Button variant="default" onClick={() => void done()}>
            {t('conflict.theirs')}
          </Button>
        </Conflict>
      ) : (
        save.error !== null && <Trouble error={save.error} />
      )}
      {isChanged && theirs === undefined && (
        <div className="acts">
          <Button type="submit" size="compact-sm" loading={save.isPending}>
            {t('edit.save')}
          </Button>
          <Button variant="default" size="compact-sm" onClick={() => void done()}>
            {t('settings.discard')}
          </Button>
        </div>
      )}
    </form>
  )
}

function Field(props: {
  readonly field: EditField
  readonly value: string
  readonly onChange: (text: string) => void
}): ReactNode {
  const { field, value, onChange } = props
  if (field.isFlag === true)
    return (
      <Checkbox
        label={field.label}
        checked={value !== ''}
        onChange={(event) => onChange(event.currentTarget.checked ? 'yes' : '')}
      />
    )
  return (
    <TextInput
      label={field.label}
      description={field.hint}
      type={field.isDay === true ? 'date' : 'text'}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      required={field.isOptional !== true}
      withAsterisk={false}
      autoComplete="off"
      spellCheck={false}
    />
  )
}

function Conflict(props: {
  readonly fields: readonly EditField[]
  readonly mine: Values
  readonly theirs: Seen & { readonly who: string }
  readonly children: ReactNode
}): ReactNode {
  const { t } = useWords()
  const { mine, theirs } = props
  const text = (field: EditField, value = ''): string =>
    field.isFlag === true
      ? t(value === '' ? 'value.false' : 'value.true')
      : value === ''
        ? t('settings.nothing')
        : value
  return (
    <div className="trouble" role="alert">
      <p>
        <strong>{t('conflict.row')}</strong>
      </p>
      <p lang="en">{theirs.who}</p>
      <table className="plain">
        <thead>
          <tr>
            <th>{t('conflict.field')}</th>
            <th>{t('conflict.yours')}</th>
            <th>{t('conflict.inForce')}</th>
          </tr>
        </thead>
        <tbody>
          {props.fields
            .filter(({ name }) => mine[name] !== theirs.values[name])
            .map((field) => (
              <tr key={field.name}>
                <td>{field.label}</td>
                <td>
                  <ins>{text(field, mine[field.name])}</ins>
                </td>
                <td>
                  <del>{text(field, theirs.values[field.name])}</del>
                </td>
              </tr>
            ))}
        </tbody>
      </table>
      <div className="acts">{props.children}</div>
    </div>
  )
}

/** What people write into one field, as a list. */
export const listOf = (text = ''): readonly string[] => text.split(/[,、\s]+/).filter(Boolean)
