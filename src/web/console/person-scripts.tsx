import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { useNotices } from '#web/parts/notices.tsx'
import { numberText } from '#web/parts/times.ts'

import { useAct } from './acts.ts'
import { ask, part } from '#web/parts/api.ts'
import { Trouble } from '#web/parts/trouble.tsx'
import { refusalSays } from '#web/parts/script-says.ts'

interface Script {
  readonly name: string
  readonly active: boolean
  readonly sizeBytes: number
}

interface ScriptText extends Script {
  readonly script: string
}

const BEGIN = 'require ["fileinto"];\n\n'

/** The Sieve scripts of one account: shown, put, switched on and off, removed. */
export function PersonScripts(props: { readonly id: string; readonly address: string }): ReactNode {
  const { t, language } = useWords()
  const path = `/users/${part(props.id)}`
  const list = useQuery({
    queryKey: ['scripts', props.id],
    queryFn: ({ signal }) =>
      ask<{ readonly items: readonly Script[] }>('GET', `${path}/scripts`, { signal }),
    retry: false,
  })
  const [open, setOpen] = useState<string>()
  const act = useAct('scripts')
  const activate = (name: string | null, before: string | null): Promise<boolean> =>
    act({
      work: () => ask('PUT', `${path}/active-script`, { body: { name } }),
      text: name === null ? t('script.didOff') : t('script.didOn', { name }),
      undo: () => void activate(before, name),
    })
  const remove = async ({ name }: Script): Promise<void> => {
    const { script } = await ask<ScriptText>('GET', `${path}/scripts/${part(name)}`)
    await act({
      work: () => ask('DELETE', `${path}/scripts/${part(name)}`),
      text: t('script.didRemove', { name }),
      undo: () =>
        void act({
          work: () => ask('PUT', `${path}/scripts/${part(name)}`, { body: { script } }),
          text: t('script.didPut', { name }),
        }),
    })
  }
  const items = list.data?.items ?? []
  const active = items.find((each) => each.active)?.name ?? null
  return (
    <section>
      <h3>{t('script.title')}</h3>
      {list.error !== null && <Trouble error={list.error} retry={() => void list.refetch()} />}
      {list.data !== undefined && items.length === 0 && <p className="faint">{t('script.none')}</p>}
      <ul className="outcomes">
        {items.map((each) => (
          <li key={each.name} className="acts">
            <button type="button" className="as-link" onClick={() => setOpen(each.name)}>
              {each.name}
            </button>
            {each.active && <Mark kind="good">{t('script.active')}</Mark>}
            <span className="faint">
              {t('script.size', { number: numberText(language, each.sizeBytes) })}
            </span>
            <Button
              variant="default"
              size="compact-xs"
              onClick={() => void activate(each.active ? null : each.name, active)}
            >
              {t(each.active ? 'script.off' : 'script.on')}
            </Button>
            {!each.active && (
              <Button
                variant="default"
                size="compact-xs"
                aria-label={t('alias.removeOne', { from: each.name })}
                onClick={() => void remove(each)}
              >
                {t('act.drop')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Button variant="default" size="compact-sm" onClick={() => setOpen('')}>
        {t('script.add')}
      </Button>
      {open !== undefined && (
        <EditScript
          key={open}
          path={path}
          id={props.id}
          address={props.address}
          name={open}
          taken={items.map(({ name }) => name)}
          onClose={() => setOpen(undefined)}
        />
      )}
    </section>
  )
}

/** One script as text; an empty name is a new one. */
function EditScript(props: {
  readonly path: string
  readonly id: string
  readonly address: string
  readonly name: string
  readonly taken: readonly string[]
  readonly onClose: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { path, onClose } = props
  const isNew = props.name === ''
  const tell = useNotices()
  const client = useQueryClient()
  const [name, setName] = useState(props.name)
  const [edited, setEdited] = useState<string>()
  const found = useQuery({
    queryKey: ['script', props.id, props.name],
    queryFn: () => ask<ScriptText>('GET', `${path}/scripts/${part(props.name)}`),
    enabled: !isNew,
    gcTime: 0,
    refetchOnWindowFocus: false,
  })
  const isTaken = isNew && props.taken.includes(name)
  const text = edited ?? (isNew ? BEGIN : found.data?.script)
  const put = useMutation({
    mutationFn: () => ask('PUT', `${path}/scripts/${part(name)}`, { body: { script: text } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['scripts'] })
      tell({ kind: 'done', text: t('script.didPut', { name }) })
      onClose()
    },
  })
  return (
    <Dialog title={t('script.of', { address: props.address })} isWide onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          put.mutate()
        }}
      >
        <TextInput
          label={t('script.name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          readOnly={!isNew}
          error={isTaken && t('script.there')}
          required
          withAsterisk={false}
        />
        {found.error !== null && <Trouble error={found.error} />}
        {text !== undefined && (
          <textarea
            className="code script"
            aria-label={t('script.text')}
            rows={16}
            value={text}
            onChange={(event) => setEdited(event.currentTarget.value)}
            spellCheck={false}
          />
        )}
        {put.error !== null && (
          <Trouble error={put.error} says={(message) => refusalSays(message, language)} />
        )}
        <div className="acts">
          <Button type="submit" loading={put.isPending} disabled={text === undefined || isTaken}>
            {t('edit.save')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
