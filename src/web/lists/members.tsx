import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { ListBody, MemberBody } from '#contract/admin/lists.ts'
import { ALL_PEOPLE, isBeforeHistory } from '#model/list-words.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { ask, part } from '#web/parts/api.ts'
import { choiceColumn } from '#web/parts/choice-column.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { FilterText } from '#web/parts/filter-text.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { numberText } from '#web/parts/times.ts'
import { Trouble } from '#web/parts/trouble.tsx'
import { useWindow } from '#web/parts/window-of.ts'

import { AddFilter } from './add-filter.tsx'
import { AddMembers } from './add-members.tsx'
import type { Undoable } from './nouns.ts'
import { useDone } from './undo.ts'

const DELIVERIES = ['each', 'digest', 'none'] as const

/** Who is in a list: found, added, changed and taken out, many at once. */
export function Members(props: {
  readonly list: ListBody
  readonly mayChange: boolean
}): ReactNode {
  const { t } = useWords()
  const { list, mayChange } = props
  const { query } = useAddress()
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [adding, setAdding] = useState<'pasted' | 'filter'>()
  const search = query.get('search') ?? undefined
  const on = query.get('on') ?? undefined
  const path = `/lists/${part(list.address)}/members`
  const rows = useWindow<MemberBody>(path, { search, on })
  const columns: Column<MemberBody>[] = [
    ...(mayChange && on === undefined
      ? [
          choiceColumn<MemberBody>(t, {
            keyOf: ({ member }) => member,
            nameOf: (row) => nameOf(row) ?? row.address ?? row.member,
            chosen,
            onChoose: setChosen,
          }),
        ]
      : []),
    {
      key: 'name',
      label: t('member.name'),
      width: 'minmax(120px, 1fr)',
      cell: (row) => <Named row={row} />,
    },
    {
      key: 'address',
      label: t('member.address'),
      width: 'minmax(140px, 1.2fr)',
      cell: (row) => row.address ?? row.filter ?? '',
      isExtra: true,
    },
    {
      key: 'kind',
      label: t('member.kind'),
      width: 'minmax(80px, 0.5fr)',
      cell: ({ kind, as }) => t(as === 'excluded' ? 'member.excluded' : `kind.${kind}`),
    },
    {
      key: 'delivery',
      label: t('member.delivery'),
      width: 'minmax(90px, 0.5fr)',
      cell: ({ delivery }) => t(`delivery.${delivery}`),
      isExtra: true,
    },
    {
      key: 'until',
      label: t('member.until'),
      width: '110px',
      cell: ({ until }) => (until === undefined ? '' : until.slice(0, 10)),
      isExtra: true,
    },
  ]
  return (
    <>
      <div className="filters">
        <FilterText name="search" label={t('member.search')} />
        <label className="on-day">
          {t('member.on')}
          <input
            type="date"
            className="filter filter-short"
            value={on ?? ''}
            onChange={(event) => setQuery({ on: event.currentTarget.value })}
          />
        </label>
        {mayChange && (
          <Button size="sm" onClick={() => setAdding('pasted')}>
            {t('member.add')}
          </Button>
        )}
        {mayChange && (
          <Button variant="default" size="sm" onClick={() => setAdding('filter')}>
            {t('filter.open')}
          </Button>
        )}
        <a className="as-link" href={`/api/v1${path}.csv`} download>
          {t('member.csv')}
        </a>
      </div>
      {chosen.size > 0 && <Bulk list={list} chosen={chosen} onDone={() => setChosen(new Set())} />}
      {isBeforeHistory(on, list.historyFrom) && (
        <p className="faint">{t('member.historyFrom', { day: list.historyFrom.slice(0, 10) })}</p>
      )}
      <PageTable
        label={t('list.members')}
        columns={columns}
        list={rows}
        keyOf={({ member }) => member}
        {...(mayChange && on === undefined && { chosen, onChoose: setChosen })}
        empty={search === undefined && on === undefined ? t('member.none') : t('member.notFound')}
      />
      {adding === 'pasted' && <AddMembers list={list} onClose={() => setAdding(undefined)} />}
      {adding === 'filter' && <AddFilter list={list} onClose={() => setAdding(undefined)} />}
    </>
  )
}

const nameOf = ({ name, kind, source }: MemberBody): string | undefined =>
  name ?? (kind === 'filter' ? source : undefined)

/** Who it is; of a filter, how many it names, and why that may be old. */
function Named({ row }: { readonly row: MemberBody }): ReactNode {
  const { t, language } = useWords()
  const { kind, people, trouble, source } = row
  if (kind !== 'filter') return nameOf(row) ?? row.address ?? t('member.gone')
  const number = numberText(language, people ?? 0)
  return (
    <>
      {people === undefined ? t('filter.people') : t('member.people', { count: people, number })}
      {source !== ALL_PEOPLE && <span className="faint">{` ${source ?? ''}`}</span>}
      {trouble !== undefined && (
        <>
          {' '}
          <Mark kind="warn">
            <span title={trouble.text}>{t(`member.trouble.${trouble.why}`)}</span>
          </Mark>
        </>
      )}
    </>
  )
}

/** What is done with those who are chosen; at once, and to be taken back. */
function Bulk(props: {
  readonly list: ListBody
  readonly chosen: ReadonlySet<string>
  readonly onDone: () => void
}): ReactNode {
  const { t } = useWords()
  const { list, chosen, onDone } = props
  const done = useDone(list.address)
  const change = useMutation({
    mutationFn: (act: { readonly path: string; readonly body: object; readonly word: string }) =>
      ask<Undoable & { readonly changed: number }>(
        'POST',
        `/lists/${part(list.address)}/members/${act.path}`,
        { body: { members: [...chosen], ...act.body } },
      ),
    onSuccess: (answer, { word }) => {
      onDone()
      done(t(word, { count: answer.changed }), answer)
    },
  })
  return (
    <div className="bulk" role="toolbar" aria-label={t('member.chosen', { count: chosen.size })}>
      <strong>{t('member.chosen', { count: chosen.size })}</strong>
      {DELIVERIES.map((delivery) => (
        <Button
          key={delivery}
          variant="default"
          size="compact-sm"
          loading={change.isPending}
          onClick={() =>
            change.mutate({ path: 'change', body: { delivery }, word: 'member.changed' })
          }
        >
          {t(`delivery.set.${delivery}`)}
        </Button>
      ))}
      <Button
        variant="default"
        size="compact-sm"
        color="red"
        loading={change.isPending}
        onClick={() => change.mutate({ path: 'remove', body: {}, word: 'member.removed' })}
      >
        {t('member.remove')}
      </Button>
      {change.error !== null && <Trouble error={change.error} />}
    </div>
  )
}
