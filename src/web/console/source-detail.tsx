import { Button } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { SourceBody } from '#contract/admin/sources.ts'
import { setQuery } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { dateText, numberText } from '#web/parts/times.ts'

import { useAct } from './acts.ts'
import { ask, part } from '#web/parts/api.ts'
import { May } from './may.tsx'
import { RemoveSource } from './remove-source.tsx'
import { Sheet } from '#web/parts/sheet.tsx'
import { SourceForm } from './source-form.tsx'
import { SourceMark } from './source-mark.tsx'
import { HostList, NoteList, SourceTrial } from './source-trial.tsx'

const LISTS = ['/directory/sources', '/users'] as const

/** One source: how it and its hosts are, what of it is not taken, and what can be done. */
export function SourceDetail(props: {
  readonly name: string
  readonly source: SourceBody | undefined
  readonly maps: readonly string[]
}): ReactNode {
  const { t, language } = useWords()
  const { name, source, maps } = props
  if (source === undefined)
    return (
      <Sheet title={name}>
        <p>{t('destinations.gone')}</p>
      </Sheet>
    )
  const { state, error, people, groupCount, readAt, mode, newsAt } = source
  const facts: readonly (readonly [string, ReactNode])[] = [
    [t('source.order'), source.order],
    [t('source.people'), people === undefined ? '–' : numberText(language, people)],
    ...(groupCount === undefined
      ? []
      : [[t('source.groups'), numberText(language, groupCount)] as const]),
    [t('source.read'), readAt === undefined ? '–' : dateText(language, readAt)],
    ...(mode === 'persist' && newsAt !== undefined
      ? [[t('source.news'), dateText(language, newsAt)] as const]
      : []),
    [t('source.base'), source.base],
    [t('source.filter'), source.filter ?? t('source.filterNone')],
    [t('source.map'), source.map ?? t('source.mapNone')],
    [t('source.key'), source.key],
    [t('source.bind'), source.bindDn ?? t('source.bindNone')],
    [t('source.auth'), t(source.auth === 'bind' ? 'source.authBind' : 'source.authHash')],
  ]
  return (
    <Sheet title={name}>
      <p>
        <SourceMark state={state} />{' '}
        {t(
          state === 'well' && mode === 'persist' ? 'source.followedMeans' : `source.${state}Means`,
        )}
      </p>
      {error !== undefined && (
        <p className="said-no" lang="en">
          {error}
        </p>
      )}
      <May do="sources.write">
        <Acts source={source} maps={maps} />
      </May>
      <dl className="facts facts-narrow">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <HostList hosts={source.hosts} />
      <NoteList notes={source.notes} />
    </Sheet>
  )
}

function Acts(props: { readonly source: SourceBody; readonly maps: readonly string[] }): ReactNode {
  const { t } = useWords()
  const { source, maps } = props
  const { name } = source
  const act = useAct(...LISTS)
  const [doing, setDoing] = useState<'test' | 'change' | 'remove' | 'read' | 'accept'>()
  const close = (): void => setDoing(undefined)
  const read = async (accept: boolean): Promise<void> => {
    setDoing(accept ? 'accept' : 'read')
    let now = source
    await act({
      work: async () => {
        now = await ask<SourceBody>('POST', `/directory/sources/${part(name)}/read`, {
          body: { accept },
        })
      },
      text: () => t(now.state === 'well' ? 'source.didRead' : 'source.didNotRead', { name }),
    })
    close()
  }
  return (
    <div className="acts">
      {source.state === 'held' && (
        <Button
          color="red.9"
          size="compact-sm"
          loading={doing === 'accept'}
          onClick={() => void read(true)}
        >
          {t('source.accept')}
        </Button>
      )}
      <Button
        variant="default"
        size="compact-sm"
        loading={doing === 'read'}
        onClick={() => void read(false)}
      >
        {t('source.readNow')}
      </Button>
      <Button variant="default" size="compact-sm" onClick={() => setDoing('test')}>
        {t('source.test')}
      </Button>
      <Button variant="default" size="compact-sm" onClick={() => setDoing('change')}>
        {t('source.change')}
      </Button>
      <Button color="red.9" size="compact-sm" onClick={() => setDoing('remove')}>
        {t('act.drop')}
      </Button>
      {doing === 'test' && <SourceTrial name={name} onClose={close} />}
      {doing === 'change' && <SourceForm source={source} maps={maps} onClose={close} />}
      {doing === 'remove' && (
        <RemoveSource
          source={source}
          onClose={close}
          onRemoved={() => setQuery({ id: undefined })}
        />
      )}
    </div>
  )
}
