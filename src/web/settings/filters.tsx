import { useState } from 'react'
import type { ReactNode } from 'react'

import { FILTERS_MAX } from '#model/choice-limits.ts'
import type { MailClient } from '#web/mail/client.ts'
import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'
import { FilterForm } from './filter-form.tsx'
import type { Filter } from './filter-match.ts'

const NEW: Filter = {
  name: '',
  match: 'all',
  conditions: [{ field: 'from', is: 'contains', value: '' }],
  stop: true,
}

/** Filters in their order, each with what it does in a sentence. */
export function Filters({ client }: { readonly client: MailClient }): ReactNode {
  const { t } = useWords()
  const { view, set, isBusy } = useChoosing()
  const { filters } = view
  /** The place of the one that is open; as many as there are: a new one. */
  const [opened, setOpened] = useState<number>()
  const store = (next: readonly Filter[], done: string): Promise<boolean> =>
    set({ filters: [...next] }, done)
  const save = async (at: number, filter: Filter): Promise<void> => {
    const next = at === filters.length ? [...filters, filter] : filters.with(at, filter)
    if (await store(next, t('filters.saved', { name: filter.name }))) setOpened(undefined)
  }
  const moved = (at: number, by: -1 | 1): void => {
    const next = [...filters]
    next.splice(at + by, 0, ...next.splice(at, 1))
    void store(next, t('filters.moved', { name: filters[at]!.name }))
  }
  return (
    <>
      <p className="faint">{t('filters.what')}</p>
      {filters.length === 0 && opened === undefined && <p>{t('filters.none')}</p>}
      <ol className="things filters">
        {filters.map((filter, at) => (
          <li key={`${at} ${filter.name}`}>
            <div className="filter-row">
              <label className="check grow">
                <input
                  type="checkbox"
                  checked={filter.isOff !== true}
                  disabled={isBusy}
                  aria-label={t('filters.isOn', { name: filter.name })}
                  onChange={(event) => {
                    const { isOff: _, ...on } = filter
                    const isOn = event.currentTarget.checked
                    void store(
                      filters.with(at, isOn ? on : { ...on, isOff: true }),
                      t(isOn ? 'filters.switchedOn' : 'filters.switchedOff', { name: filter.name }),
                    )
                  }}
                />
                <span>
                  <strong>{filter.name}</strong>
                  <br />
                  <Sentence filter={filter} />
                </span>
              </label>
              <span className="acts">
                <button
                  type="button"
                  className="plain-button"
                  disabled={isBusy || at === 0}
                  aria-label={t('filters.up', { name: filter.name })}
                  onClick={() => moved(at, -1)}
                >
                  ↑
                </button>
                <button
                  type="button"
                  className="plain-button"
                  disabled={isBusy || at === filters.length - 1}
                  aria-label={t('filters.down', { name: filter.name })}
                  onClick={() => moved(at, 1)}
                >
                  ↓
                </button>
                <button
                  type="button"
                  className="plain-button"
                  aria-label={t('filters.editOf', { name: filter.name })}
                  aria-expanded={opened === at}
                  onClick={() => setOpened(opened === at ? undefined : at)}
                >
                  {t('edit')}
                </button>
                <button
                  type="button"
                  className="plain-button"
                  disabled={isBusy}
                  aria-label={t('removeOf', { name: filter.name })}
                  onClick={() => {
                    setOpened(undefined)
                    void store(
                      filters.toSpliced(at, 1),
                      t('filters.removed', { name: filter.name }),
                    )
                  }}
                >
                  {t('remove')}
                </button>
              </span>
            </div>
            {opened === at && (
              <FilterForm
                filter={filter}
                client={client}
                close={() => setOpened(undefined)}
                save={(next) => save(at, next)}
              />
            )}
          </li>
        ))}
      </ol>
      {opened === filters.length ? (
        <FilterForm
          filter={NEW}
          client={client}
          close={() => setOpened(undefined)}
          save={(next) => save(filters.length, next)}
        />
      ) : (
        <button
          type="button"
          className="answer"
          disabled={filters.length >= FILTERS_MAX}
          onClick={() => setOpened(filters.length)}
        >
          {t('filters.new')}
        </button>
      )}
    </>
  )
}

/** What a filter looks for and does. */
function Sentence({ filter }: { readonly filter: Filter }): ReactNode {
  const { t } = useWords()
  const { conditions, match, folder, copy, flags = [], stop } = filter
  const tests = conditions.map(({ field, is, not, value }) =>
    t(`filters.says.${is}${not === true ? 'Not' : ''}`, {
      field: t(`filters.field.${field}`),
      value,
    }),
  )
  const acts = [
    ...(folder === undefined
      ? []
      : [t(copy === true ? 'filters.does.copy' : 'filters.does.folder', { folder })]),
    ...flags.map((flag) => t(`filters.does.${flag}`)),
    ...(stop === true ? [t('filters.does.stop')] : []),
  ]
  return (
    <span className="faint">
      {tests.join(t(`filters.join.${match}`))} → {acts.join(t('filters.join.acts'))}
    </span>
  )
}
