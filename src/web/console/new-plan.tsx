import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { BulkDone, PlanBody } from '#contract/admin/bulk.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import { ask } from '#web/parts/api.ts'
import { changeOf, noChange } from './bulk-change.ts'
import { BulkFields } from './bulk-fields.tsx'
import { partsOf } from './person-facts.ts'
import { PlanPreview } from './plan-preview.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

/** A change of many on a day: whom it would change now is shown before it is planned. */
export function NewPlan({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const [title, setTitle] = useState('')
  const [on, setOn] = useState('')
  const [tags, setTags] = useState('')
  const [texts, setTexts] = useState(noChange)
  const plan = (dryRun: boolean): Promise<PlanBody & BulkDone> => {
    const body = { title, on, where: { tags: partsOf(tags) }, change: changeOf(texts), dryRun }
    return ask('POST', '/directory/plans', { body })
  }
  const preview = useMutation({ mutationFn: () => plan(true) })
  const save = useMutation({
    mutationFn: () => plan(false),
    onSuccess: async () => {
      tell({ kind: 'done', text: t('plan.did', { title, on }) })
      onClose()
      await client.invalidateQueries({ queryKey: ['/directory/plans'] })
    },
  })
  const text = (
    label: string,
    value: string,
    set: (value: string) => void,
    more: { readonly type?: 'date'; readonly description?: string } = {},
  ): ReactNode => (
    <TextInput
      label={label}
      value={value}
      onChange={(event) => {
        set(event.currentTarget.value)
        preview.reset()
      }}
      required
      withAsterisk={false}
      autoComplete="off"
      {...more}
    />
  )
  const error = save.error ?? preview.error
  return (
    <Dialog title={t('plan.add')} isWide onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (preview.data === undefined) preview.mutate()
          else save.mutate()
        }}
      >
        <div className="pairs">
          {text(t('plan.name'), title, setTitle)}
          {text(t('plan.on'), on, setOn, { type: 'date' })}
          {text(t('plan.where'), tags, setTags, { description: t('people.tagsHint') })}
        </div>
        <BulkFields
          texts={texts}
          onChange={(changed) => {
            setTexts(changed)
            preview.reset()
          }}
        />
        {error !== null && <Trouble error={error} />}
        {preview.data !== undefined && <PlanPreview done={preview.data} />}
        <div className="acts">
          <Button type="submit" loading={preview.isPending || save.isPending}>
            {t(preview.data === undefined ? 'plan.look' : 'plan.do')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
