import { Button, Checkbox, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { SourceBody } from '#contract/admin/sources.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { numberText } from '#web/parts/times.ts'

import { useAct } from './acts.ts'
import { ask, part } from '#web/parts/api.ts'

/** Says what becomes of those who came from it alone, and asks for its name. */
export function RemoveSource(props: {
  readonly source: SourceBody
  readonly onClose: () => void
  readonly onRemoved: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { name, people = 0 } = props.source
  const act = useAct('/directory/sources', '/users')
  const [typed, setTyped] = useState('')
  const [keeps, setKeeps] = useState(true)
  const remove = async (): Promise<void> => {
    const query = keeps ? '?keepPeople=true' : ''
    const isDone = await act({
      work: () => ask('DELETE', `/directory/sources/${part(name)}${query}`),
      text: t('source.removed', { name }),
    })
    props.onClose()
    if (isDone) props.onRemoved()
  }
  return (
    <Dialog title={t('source.removeTitle')} onClose={props.onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (typed.trim() === name) void remove()
        }}
      >
        <p>
          {t('source.removeText', { name, count: people, number: numberText(language, people) })}
        </p>
        <Checkbox
          label={t('source.keepPeople')}
          description={t(keeps ? 'source.keepPeopleYes' : 'source.keepPeopleNo')}
          checked={keeps}
          onChange={(event) => setKeeps(event.currentTarget.checked)}
        />
        <TextInput
          label={t('source.removeAsk', { name })}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
        />
        <div className="acts">
          <Button type="submit" color="red.9" disabled={typed.trim() !== name}>
            {t('act.drop')}
          </Button>
          <Button variant="default" onClick={props.onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
