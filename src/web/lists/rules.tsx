import { Button, NativeSelect, NumberInput, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { ListBody } from '#contract/admin/lists.ts'
import { ask, part } from '#web/parts/api.ts'
import { useWords } from '#web/parts/language.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import type { Undoable } from './nouns.ts'
import { useDone } from './undo.ts'

/** What may be chosen of each; an empty one takes it away. */
const CHOICES = {
  posting: ['members', 'domain', 'anyone', 'moderated', 'announce'],
  others: ['hold', 'refuse'],
  subscription: ['closed', 'domain', 'confirm', 'open', 'approve'],
  leaving: ['', 'owners'],
  archive: ['none', 'owners', 'members', 'domain', 'public'],
  roster: ['owners', 'members'],
  replyTo: ['author', 'list'],
  attachments: ['keep', 'remove', 'refuse'],
  digest: ['', 'day', 'week'],
  language: ['ja', 'en'],
} as const
type Choice = keyof typeof CHOICES

const NUMBERS = ['retainDays', 'sizeMaxBytes', 'warnAbove', 'withdrawSeconds'] as const

type Values = Readonly<Record<string, string>>

/** How a list goes about its posts and its members; saved as a whole, and to be taken back. */
export function Rules({ list }: { readonly list: ListBody }): ReactNode {
  const { t } = useWords()
  const done = useDone(list.address)
  const before = valuesOf(list)
  const [values, setValues] = useState<Values>(before)
  const set = (name: string, value: string): void => setValues({ ...values, [name]: value })
  const edited = Object.keys(values).filter((name) => values[name] !== before[name])
  const save = useMutation({
    mutationFn: () =>
      ask<ListBody & Undoable>('PATCH', `/lists/${part(list.address)}`, {
        body: Object.fromEntries(edited.map((name) => [name, bodyOf(name, values[name] ?? '')])),
        ifMatch: list.version,
      }),
    onSuccess: (answer) => done(t('rules.saved'), answer),
  })
  return (
    <form
      className="stack rules"
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      <TextInput
        label={t('lists.name')}
        value={values['name'] ?? ''}
        onChange={(event) => set('name', event.currentTarget.value)}
      />
      <Textarea
        label={t('rules.description')}
        autosize
        minRows={2}
        value={values['description'] ?? ''}
        onChange={(event) => set('description', event.currentTarget.value)}
      />
      <TextInput
        label={t('rules.owners')}
        description={t('rules.peopleHint')}
        value={values['owners'] ?? ''}
        onChange={(event) => set('owners', event.currentTarget.value)}
        spellCheck={false}
      />
      <TextInput
        label={t('rules.moderators')}
        description={t('rules.peopleHint')}
        value={values['moderators'] ?? ''}
        onChange={(event) => set('moderators', event.currentTarget.value)}
        spellCheck={false}
      />
      <TextInput
        label={t('rules.senders')}
        description={t('rules.sendersHint')}
        value={values['senders'] ?? ''}
        onChange={(event) => set('senders', event.currentTarget.value)}
        spellCheck={false}
      />
      <TextInput
        label={t('rules.subjectTag')}
        description={t('rules.subjectTagHint')}
        value={values['subjectTag'] ?? ''}
        onChange={(event) => set('subjectTag', event.currentTarget.value)}
        spellCheck={false}
      />
      {(Object.keys(CHOICES) as Choice[]).map((name) => (
        <NativeSelect
          key={name}
          label={t(`rules.${name}`)}
          value={values[name] ?? ''}
          onChange={(event) => set(name, event.currentTarget.value)}
          data={CHOICES[name].map((value) => ({
            value,
            label: t(`rules.${name}.${value === '' ? 'no' : value}`),
          }))}
        />
      ))}
      {NUMBERS.map((name) => (
        <NumberInput
          key={name}
          label={t(`rules.${name}`)}
          description={t('rules.emptyNone')}
          min={0}
          allowDecimal={false}
          value={values[name] === '' ? '' : Number(values[name])}
          onChange={(value) => set(name, String(value))}
        />
      ))}
      {save.error !== null && <Trouble error={save.error} />}
      <div className="acts">
        <Button type="submit" loading={save.isPending} disabled={edited.length === 0}>
          {t('rules.save')}
        </Button>
        <Button variant="default" onClick={() => setValues(before)} disabled={edited.length === 0}>
          {t('rules.back')}
        </Button>
      </div>
    </form>
  )
}

const people = (all: readonly { readonly address?: string | undefined; readonly id: string }[]) =>
  all.map(({ address, id }) => address ?? id).join(', ')

function valuesOf(list: ListBody): Values {
  const of = (name: keyof ListBody): string => {
    const value = list[name]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  return {
    name: of('name'),
    description: of('description'),
    owners: people(list.owners),
    moderators: people(list.moderators),
    senders: people(list.senders),
    subjectTag: of('subjectTag'),
    ...Object.fromEntries((Object.keys(CHOICES) as Choice[]).map((name) => [name, of(name)])),
    ...Object.fromEntries(NUMBERS.map((name) => [name, of(name)])),
  }
}

function bodyOf(name: string, value: string): unknown {
  if (name === 'owners' || name === 'senders') return namesIn(value)
  if (name === 'moderators') return namesIn(value).map((user) => ({ user }))
  const text = value.trim()
  if (text === '') return null
  return (NUMBERS as readonly string[]).includes(name) ? Number(text) : text
}

const namesIn = (text: string): string[] =>
  text
    .normalize('NFKC')
    .split(/[,、;\s]+/u)
    .filter((each) => each !== '')
