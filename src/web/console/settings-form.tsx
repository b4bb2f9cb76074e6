import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { GenerationBody, SettingBody } from '#contract/admin/settings.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { useNotices } from '#web/parts/notices.tsx'

import { ApiFailure, ask } from '#web/parts/api.ts'
import { Changes } from './changes.tsx'
import { FilterText } from '#web/parts/filter-text.tsx'
import { May } from './may.tsx'
import { SettingConflict } from './setting-conflict.tsx'
import { textOfValue, valueOfText } from './setting-text.ts'
import type { SettingValue } from './setting-text.ts'
import { Trouble } from '#web/parts/trouble.tsx'

/** What has been edited and not applied: the text of each field, or null for its default. */
type Edits = Readonly<Record<string, string | null>>

export interface SettingsBody {
  readonly items: readonly SettingBody[]
  readonly generation: number
}

/** All settings in their groups; changes are collected, shown, then applied together. */
export function SettingsForm({ settings }: { readonly settings: SettingsBody }): ReactNode {
  const { t, language } = useWords()
  const { query } = useAddress()
  const wanted = (query.get('q') ?? '').toLowerCase()
  const [edits, setEdits] = useState<Edits>({})
  const [isReviewing, setReviewing] = useState(false)
  const shown = settings.items.filter(
    ({ key, doc }) =>
      wanted === '' || `${key} ${doc[language]}`.toLowerCase().includes(wanted) || key in edits,
  )
  const groups = Map.groupBy(shown, ({ key }) => key.split('.')[0]!)
  const edit = (setting: SettingBody, text: string | null): void => {
    const { [setting.key]: _, ...rest } = edits
    const isSame =
      text === null ? setting.isDefault : text === textOfValue(setting.type, setting.value)
    setEdits(isSame ? rest : { ...rest, [setting.key]: text })
  }
  const count = Object.keys(edits).length
  return (
    <>
      <div className="filters">
        <FilterText name="q" label={t('settings.search')} />
        <May do="settings.write">
          <Button disabled={count === 0} onClick={() => setReviewing(true)}>
            {t('settings.review', { count })}
          </Button>
        </May>
        {count > 0 && (
          <Button variant="default" onClick={() => setEdits({})}>
            {t('settings.discard')}
          </Button>
        )}
        <span className="faint">{t('settings.inForce', { generation: settings.generation })}</span>
      </div>
      {shown.length === 0 && <p>{t('settings.none')}</p>}
      {[...groups].map(([group, items]) => (
        <section key={group}>
          <h2 className="code">{group}</h2>
          {items.map((setting) => (
            <Field key={setting.key} setting={setting} edits={edits} edit={edit} />
          ))}
        </section>
      ))}
      {isReviewing && (
        <Review
          settings={settings}
          edits={edits}
          onClose={() => setReviewing(false)}
          onApplied={() => {
            setEdits({})
            setReviewing(false)
            setQuery({ q: undefined })
          }}
        />
      )}
    </>
  )
}

function Field(props: {
  readonly setting: SettingBody
  readonly edits: Edits
  readonly edit: (setting: SettingBody, text: string | null) => void
}): ReactNode {
  const { t, language } = useWords()
  const { setting, edits, edit } = props
  const { key, type, doc } = setting
  const now = edits[key]
  const standard = textOfValue(type, setting.default)
  const text = now === undefined ? textOfValue(type, setting.value) : (now ?? standard)
  const bounds =
    setting.min === undefined || setting.max === undefined
      ? ''
      : t('settings.bounds', {
          min: textOfValue(type, setting.min),
          max: textOfValue(type, setting.max),
        })
  const choices = type === 'boolean' ? ['true', 'false'] : setting.oneOf
  return (
    <div className={key in edits ? 'setting setting-edited' : 'setting'}>
      <label htmlFor={key} className="code">
        {key}
      </label>
      <p id={`${key}-doc`} className="faint">
        {doc[language]} {bounds}
      </p>
      {type === 'networks' ? (
        <Link to="/console/access">{t('settings.rows', { rows: text })}</Link>
      ) : (
        <div className="acts">
          {type === 'script' ? (
            <textarea
              id={key}
              className="code"
              rows={8}
              aria-describedby={`${key}-doc`}
              value={text}
              onChange={(event) => edit(setting, event.currentTarget.value)}
              spellCheck={false}
            />
          ) : choices === undefined ? (
            <input
              id={key}
              className="filter"
              aria-describedby={`${key}-doc`}
              value={text}
              onChange={(event) => edit(setting, event.currentTarget.value)}
              spellCheck={false}
            />
          ) : (
            <select
              id={key}
              className="filter"
              aria-describedby={`${key}-doc`}
              value={text}
              onChange={(event) => edit(setting, event.currentTarget.value)}
            >
              {choices.map((each) => (
                <option key={each} value={each}>
                  {t(`value.${each}`)}
                </option>
              ))}
            </select>
          )}
          {text !== standard && (
            <Button variant="default" size="compact-sm" onClick={() => edit(setting, null)}>
              {t('settings.default', { value: standard === '' ? t('settings.nothing') : standard })}
            </Button>
          )}
        </div>
      )}
    </div>
  )
}

/** What will change, before it does; where somebody else was first, what that one did. */
function Review(props: {
  readonly settings: SettingsBody
  readonly edits: Edits
  readonly onClose: () => void
  readonly onApplied: () => void
}): ReactNode {
  const { t } = useWords()
  const { settings, edits } = props
  const tell = useNotices()
  const client = useQueryClient()
  const changes = settings.items.flatMap((setting) => {
    const text = edits[setting.key]
    if (text === undefined) return []
    const after: SettingValue = text === null ? setting.default : valueOfText(setting.type, text)
    return [{ key: setting.key, before: setting.value, after }]
  })
  const values = Object.fromEntries(
    changes.map(({ key, after }) => [key, edits[key] === null ? null : after]),
  )
  const apply = useMutation({
    mutationFn: (ifMatch: number) =>
      ask<GenerationBody>('PATCH', '/settings', { body: { values }, ifMatch }),
    onSuccess: async ({ generation }) => {
      props.onApplied()
      tell({ kind: 'done', text: t('settings.applied', { generation }) })
      await client.invalidateQueries({ queryKey: ['settings'] })
    },
  })
  const isConflict = apply.error instanceof ApiFailure && apply.error.status === 409
  return (
    <Dialog title={t('settings.reviewTitle')} onClose={props.onClose}>
      <div className="stack">
        <p>{t('settings.reviewText')}</p>
        <Changes changes={changes} types={typesOf(settings)} />
        {isConflict ? (
          <SettingConflict
            since={settings.generation}
            types={typesOf(settings)}
            onAgain={(generation) => apply.mutate(generation)}
          />
        ) : (
          apply.error !== null && <Trouble error={apply.error} />
        )}
        <div className="acts">
          {!isConflict && (
            <Button loading={apply.isPending} onClick={() => apply.mutate(settings.generation)}>
              {t('settings.apply')}
            </Button>
          )}
          <Button variant="default" onClick={props.onClose}>
            {t('cancel')}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

const typesOf = (settings: SettingsBody): ReadonlyMap<string, string> =>
  new Map(settings.items.map(({ key, type }) => [key, type]))
