import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'
import type { z } from 'zod'

import type { filterNames, filterSources, ListBody, membersAdded } from '#contract/admin/lists.ts'
import { ask, part } from '#web/parts/api.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { numberText } from '#web/parts/times.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import { FilterPart } from './filter-part.tsx'
import { useDone } from './undo.ts'

type Names = z.infer<typeof filterNames>

/** Everybody whom a filter names, now and later: shows who that is, then has it in as a member. */
export function AddFilter(props: {
  readonly list: ListBody
  readonly onClose: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { list, onClose } = props
  const done = useDone(list.address)
  const [source, setSource] = useState('')
  const [base, setBase] = useState('')
  const [filter, setFilter] = useState('')
  const path = `/lists/${part(list.address)}`
  const sources = useQuery({
    queryKey: [`${path}/filters/sources`],
    queryFn: () => ask<z.infer<typeof filterSources>>('GET', `${path}/filters/sources`),
  })
  const names = sources.data?.items ?? []
  const wanted = {
    filter: filter.trim(),
    ...(source !== '' && { source, ...(base.trim() !== '' && { base: base.trim() }) }),
  }
  const look = useMutation({
    mutationFn: () => ask<Names>('POST', `${path}/filters/look`, { body: wanted }),
  })
  const add = useMutation({
    mutationFn: () =>
      ask<z.infer<typeof membersAdded>>('POST', `${path}/members`, { body: { filters: [wanted] } }),
    onSuccess: (answer) => {
      onClose()
      const isNew = answer.rows.some(({ outcome }) => outcome === 'added' || outcome === 'changed')
      done(t(isNew ? 'filter.added' : 'filter.same'), answer)
    },
  })
  const changed = (change: () => void): void => {
    change()
    look.reset()
    add.reset()
  }
  const found = look.data
  const fault = found?.fault
  const said =
    fault && t(`filter.fault.${fault.code}`, { at: fault.at ?? 0, text: fault.text, source, base })
  const isOfBase = fault?.code === 'noBase'
  const isSeen = found !== undefined && fault === undefined
  return (
    <Dialog title={t('filter.title')} isWide onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (isSeen) add.mutate()
          else look.mutate()
        }}
      >
        <p className="faint">{t('filter.what')}</p>
        {names.length > 0 && (
          <NativeSelect
            label={t('filter.source')}
            value={source}
            onChange={(event) => changed(() => setSource(event.currentTarget.value))}
            data={[
              { value: '', label: t('filter.people') },
              ...names.map(({ name }) => ({ value: name, label: name })),
            ]}
          />
        )}
        {source !== '' && (
          <TextInput
            label={t('filter.base')}
            placeholder={names.find(({ name }) => name === source)?.base ?? ''}
            value={base}
            error={isOfBase && said}
            onChange={(event) => changed(() => setBase(event.currentTarget.value))}
          />
        )}
        {source === '' && (
          <FilterPart filter={filter} put={(next) => changed(() => setFilter(next))} />
        )}
        <Textarea
          label={t('filter.filter')}
          description={t('filter.hint')}
          classNames={{ input: 'code' }}
          value={filter}
          rows={2}
          autoFocus
          spellCheck={false}
          error={!isOfBase && said}
          onChange={(event) => changed(() => setFilter(event.currentTarget.value))}
        />
        {isSeen && <Named found={found} />}
        {(look.error ?? add.error) !== null && <Trouble error={look.error ?? add.error} />}
        <div className="acts">
          <Button
            type="submit"
            loading={look.isPending || add.isPending}
            disabled={wanted.filter === ''}
          >
            {isSeen
              ? t('filter.add', { number: numberText(language, found.total) })
              : t('member.look')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Who it is now: how many, and some of them by name. */
function Named({ found }: { readonly found: Names }): ReactNode {
  const { t, language } = useWords()
  const { total, items } = found
  return (
    <div role="status">
      <p>
        <strong>{t('filter.names', { count: total, number: numberText(language, total) })}</strong>
      </p>
      {items.length > 0 && (
        <ul className="filter-names" tabIndex={0} aria-label={t('member.meant')}>
          {items.map(({ id, name, address }) => (
            <li key={id}>{[name, address].filter(Boolean).join(' · ')}</li>
          ))}
          {total > items.length && (
            <li className="faint">
              {t('filter.more', { number: numberText(language, total - items.length) })}
            </li>
          )}
        </ul>
      )}
    </div>
  )
}
