import { Button, Checkbox, PasswordInput, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { SourceBody } from '#contract/admin/sources.ts'
import { setQuery } from '#web/parts/address.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import { ask, part } from '#web/parts/api.ts'
import { blankSource, sourceOf, textsOf } from './source-texts.ts'
import type { SourceTexts } from './source-texts.ts'
import { Tried, tried } from './source-trial.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

/** A source that is new, or as it is to be: tried before it is set. */
export function SourceForm(props: {
  readonly source?: SourceBody
  readonly maps: readonly string[]
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const { source, onClose } = props
  const tell = useNotices()
  const client = useQueryClient()
  const [texts, setTexts] = useState<SourceTexts>(() =>
    source === undefined ? blankSource : textsOf(source),
  )
  const name = source?.name ?? texts.name.trim()
  const set = (change: Partial<SourceTexts>): void => {
    setTexts({ ...texts, ...change })
    trial.reset()
  }
  const trial = useMutation({ mutationFn: () => tried(name, sourceOf(texts)) })
  const save = useMutation({
    mutationFn: () =>
      ask<SourceBody>('PUT', `/directory/sources/${part(name)}`, { body: sourceOf(texts) }),
    onSuccess: async () => {
      tell({
        kind: 'done',
        text: t(source === undefined ? 'source.added' : 'edit.saved', { name }),
      })
      onClose()
      setQuery({ id: name })
      await client.invalidateQueries({ queryKey: ['/directory/sources'] })
    },
  })
  const title = source === undefined ? t('source.add') : t('source.changeOf', { name })
  const error = trial.error ?? save.error
  return (
    <Dialog title={title} isWide onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <div className="pairs">
          {source === undefined && <Text name="name" texts={texts} set={set} isRequired />}
          <Textarea
            label={t('source.urls')}
            description={t('source.urlsHint')}
            value={texts.urls}
            onChange={(event) => set({ urls: event.currentTarget.value })}
            required
            withAsterisk={false}
            autosize
            minRows={2}
            spellCheck={false}
          />
          <Text name="base" texts={texts} set={set} isRequired />
          <Text name="bindDn" texts={texts} set={set} />
          <PasswordInput
            label={t('source.bindPassword')}
            description={t(
              source?.bindDn === undefined ? 'source.bindHint' : 'source.bindPasswordHint',
            )}
            value={texts.bindPassword}
            onChange={(event) => set({ bindPassword: event.currentTarget.value })}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': t('login.show') }}
          />
          <Choice
            label={t('source.auth')}
            hint={t(texts.auth === 'bind' ? 'source.bindAuthHint' : 'source.hashAuthHint')}
            value={texts.auth}
            choices={[
              ['bind', t('source.authBind')],
              ['hash', t('source.authHash')],
            ]}
            onChange={(auth) => set({ auth: auth === 'hash' ? 'hash' : 'bind' })}
          />
          {texts.auth === 'bind' && (
            <Checkbox
              label={t('source.adopt')}
              description={t('source.adoptHint')}
              checked={texts.adoptPasswords}
              onChange={(event) => set({ adoptPasswords: event.currentTarget.checked })}
            />
          )}
          <Checkbox
            label={t('source.takeGroups')}
            description={t('source.takeGroupsHint')}
            checked={texts.groups}
            onChange={(event) => set({ groups: event.currentTarget.checked })}
          />
        </div>
        <details>
          <summary>{t('source.more')}</summary>
          <div className="pairs">
            <Choice
              label={t('source.map')}
              hint={t('source.mapHint')}
              value={texts.map}
              choices={[['', t('source.mapNone')], ...props.maps.map((map) => [map, map] as const)]}
              onChange={(map) => set({ map })}
            />
            <Text name="filter" texts={texts} set={set} />
            <Text name="key" texts={texts} set={set} />
            <Text name="order" texts={texts} set={set} pattern="[1-9][0-9]{0,5}" />
            <Pem name="ca" texts={texts} set={set} />
            <Pem name="bindCertificate" texts={texts} set={set} />
            <Pem name="bindKey" texts={texts} set={set} />
            <Checkbox
              label={t('source.plain')}
              description={t('source.plainHint')}
              checked={texts.plain}
              onChange={(event) => set({ plain: event.currentTarget.checked })}
            />
          </div>
        </details>
        {error !== null && <Trouble error={error} />}
        {trial.data !== undefined && <Tried trial={trial.data} />}
        <div className="acts">
          <Button type="submit" loading={save.isPending}>
            {title}
          </Button>
          <Button
            variant="default"
            loading={trial.isPending}
            disabled={name === '' || texts.urls.trim() === '' || texts.base.trim() === ''}
            onClick={() => trial.mutate()}
          >
            {t('source.testFirst')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function Text(props: {
  readonly name: 'name' | 'base' | 'filter' | 'key' | 'order' | 'bindDn'
  readonly texts: SourceTexts
  readonly set: (change: Partial<SourceTexts>) => void
  readonly isRequired?: boolean
  readonly pattern?: string
}): ReactNode {
  const { t } = useWords()
  const { name, texts, isRequired = false, pattern } = props
  return (
    <TextInput
      label={t(`source.${name}`)}
      description={t(`source.${name}Hint`)}
      value={texts[name]}
      onChange={(event) => props.set({ [name]: event.currentTarget.value })}
      required={isRequired}
      withAsterisk={false}
      autoComplete="off"
      spellCheck={false}
      {...(pattern !== undefined && { pattern })}
    />
  )
}

function Pem(props: {
  readonly name: 'ca' | 'bindCertificate' | 'bindKey'
  readonly texts: SourceTexts
  readonly set: (change: Partial<SourceTexts>) => void
}): ReactNode {
  const { t } = useWords()
  const { name, texts } = props
  return (
    <Textarea
      label={t(`source.${name}`)}
      description={t(`source.${name}Hint`)}
      value={texts[name]}
      onChange={(event) => props.set({ [name]: event.currentTarget.value })}
      minRows={2}
      maxRows={6}
      autosize
      autoComplete="off"
      spellCheck={false}
    />
  )
}

function Choice(props: {
  readonly label: string
  readonly hint: string
  readonly value: string
  readonly choices: readonly (readonly [value: string, text: string])[]
  readonly onChange: (value: string) => void
}): ReactNode {
  return (
    <label className="field">
      {props.label}
      <span className="field-hint">{props.hint}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.choices.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
