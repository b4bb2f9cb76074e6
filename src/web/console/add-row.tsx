import { Button, Checkbox, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import type { EditField, Values } from './edit-row.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

/** A new row of the directory. */
export function AddRow(props: {
  readonly title: string
  readonly fields: readonly EditField[]
  readonly add: (values: Values) => Promise<unknown>
  readonly said: (values: Values) => string
  readonly lists: readonly string[]
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const { onClose } = props
  const tell = useNotices()
  const client = useQueryClient()
  const [values, setValues] = useState<Values>(() =>
    Object.fromEntries(props.fields.map(({ name }) => [name, ''])),
  )
  const add = useMutation({
    mutationFn: () => props.add(values),
    onSuccess: async () => {
      tell({ kind: 'done', text: props.said(values) })
      onClose()
      await Promise.all(props.lists.map((list) => client.invalidateQueries({ queryKey: [list] })))
    },
  })
  const set = (name: string, value: string): void => setValues({ ...values, [name]: value })
  return (
    <Dialog title={props.title} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate()
        }}
      >
        {props.fields.map(({ name, label, hint, isFlag, isOptional }) =>
          isFlag === true ? (
            <Checkbox
              key={name}
              label={label}
              checked={values[name] !== ''}
              onChange={(event) => set(name, event.currentTarget.checked ? 'yes' : '')}
            />
          ) : (
            <TextInput
              key={name}
              label={label}
              description={hint}
              value={values[name] ?? ''}
              onChange={(event) => set(name, event.currentTarget.value)}
              required={isOptional !== true}
              withAsterisk={false}
              autoComplete="off"
              spellCheck={false}
            />
          ),
        )}
        {add.error !== null && <Trouble error={add.error} />}
        <div className="acts">
          <Button type="submit" loading={add.isPending}>
            {props.title}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
