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
  digest: ['day', 'week'],
  language: ['ja', 'en'],
} as const
type Choice = keyof typeof CHOICES

const NUMBERS = ['retainDays', 'sizeMaxBytes', 'warnAbove', 'withdrawSeconds'] as const
type NumberName = (typeof NUMBERS)[number]

/** What stands below a line, by the name of its sentence. */
const HINTS = {
  owners: 'people',
  moderators: 'people',
  senders: 'senders',
  subjectTag: 'subjectTag',
}
const MEGABYTE = 1_000_000

/** What belongs together, in the order in which people settle it. */
const GROUPS = {
  about: ['name', 'description', 'language', 'owners', 'moderators', 'senders'],
  members: ['subscription', 'leaving', 'roster'],
  posts: [
    'posting',
    'others',
    'subjectTag',
    'replyTo',
    'attachments',
    'sizeMaxBytes',
    'warnAbove',
    'withdrawSeconds',
  ],
  kept: ['archive', 'retainDays', 'digest'],
} as const

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
      {Object.entries(GROUPS).map(([group, names]) => (
        <fieldset key={group} className="rules-group stack">
          <legend>{t(`rules.group.${group}`)}</legend>
          {names.map((name) => (
            <Field
              key={name}
              name={name}
              value={values[name] ?? ''}
              set={(value) => set(name, value)}
            />
          ))}
        </fieldset>
      ))}
      {save.error !== null && <Trouble error={save.error} />}
      <div className="acts rules-acts">
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

/** One of them, as its kind is entered. */
function Field(props: {
  readonly name: string
  readonly value: string
  readonly set: (value: string) => void
}): ReactNode {
  const { t } = useWords()
  const { name, value, set } = props
  const label = t(name === 'name' ? 'lists.name' : `rules.${name}`)
  if (name in CHOICES)
    return (
      <NativeSelect
        label={label}
        value={value}
        onChange={(event) => set(event.currentTarget.value)}
        data={CHOICES[name as Choice].map((each) => ({
          value: each,
          label: t(`rules.${name}.${each === '' ? 'no' : each}`),
        }))}
      />
    )
  if (isNumber(name))
    return (
      <NumberInput
        label={label}
        description={t(`rules.empty.${name}`)}
        min={0}
        allowDecimal={name === 'sizeMaxBytes'}
        value={value === '' ? '' : Number(value)}
        onChange={(next) => set(String(next))}
      />
    )
  const change = (event: { readonly currentTarget: { readonly value: string } }): void =>
    set(event.currentTarget.value)
  if (name === 'description')
    return <Textarea label={label} autosize minRows={2} value={value} onChange={change} />
  const hint = (HINTS as Readonly<Record<string, string>>)[name]
  return (
    <TextInput
      label={label}
      description={hint && t(`rules.${hint}Hint`)}
      value={value}
      onChange={change}
      spellCheck={hint === undefined}
    />
  )
}

const isNumber = (name: string): name is NumberName => (NUMBERS as readonly string[]).includes(name)

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
    ...(list.sizeMaxBytes !== undefined && {
      sizeMaxBytes: String(list.sizeMaxBytes / MEGABYTE),
    }),
    digest: list.digest ?? 'day',
  }
}

function bodyOf(name: string, value: string): unknown {
  if (name === 'owners' || name === 'senders') return namesIn(value)
  if (name === 'moderators') return namesIn(value).map((user) => ({ user }))
  const text = value.trim()
  if (text === '') return null
  if (name === 'sizeMaxBytes') return Math.round(Number(text) * MEGABYTE)
  return isNumber(name) ? Number(text) : text
}

const namesIn = (text: string): string[] =>
  text
    .normalize('NFKC')
    .split(/[,、;\s]+/u)
    .filter((each) => each !== '')
