import { useEffect, useId, useRef, useState } from 'react'
import type { ReactNode } from 'react'

import {
  CONDITIONS_MAX,
  FILTER_FIELDS,
  FILTER_FLAGS,
  FILTER_TEXT_MAX,
} from '#model/choice-limits.ts'
import type { MailClient } from '#web/mail/client.ts'
import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'
import { holds } from './filter-match.ts'
import type { Filter, TriedMail } from './filter-match.ts'
import { recentMails } from './recent-mails.ts'

type Condition = Filter['conditions'][number]
const EMPTY: Condition = { field: 'subject', is: 'contains', value: '' }

/** One filter being written; it can be tried on what is there before it is kept. */
export function FilterForm(props: {
  readonly filter: Filter
  readonly client: MailClient
  readonly close: () => void
  readonly save: (filter: Filter) => Promise<void>
}): ReactNode {
  const { t } = useWords()
  const { isBusy } = useChoosing()
  const id = useId()
  const first = useRef<HTMLInputElement>(null)
  const [draft, setDraft] = useState<Filter>(props.filter)
  const [folders, setFolders] = useState<readonly string[]>([])
  useEffect(() => first.current?.focus(), [])
  useEffect(() => {
    // Without them a name can still be typed.
    mailboxNames(props.client).then(setFolders, () => undefined)
  }, [props.client])
  const { conditions, flags = [] } = draft
  const change = (part: Partial<Filter>): void => setDraft({ ...draft, ...part })
  const drop = (part: 'copy' | 'stop'): void => {
    const { [part]: _, ...rest } = draft
    setDraft(rest)
  }
  const condition = (at: number, part: Partial<Condition>): void =>
    change({ conditions: conditions.with(at, { ...conditions[at]!, ...part }) })
  const doesNothing = (draft.folder ?? '') === '' && flags.length === 0 && draft.stop !== true
  return (
    <form
      className="sheet form filter-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (!doesNothing) void props.save(tidy(draft))
      }}
    >
      <label>
        {t('filters.name')}
        <input
          ref={first}
          className="field"
          type="text"
          required
          maxLength={FILTER_TEXT_MAX}
          value={draft.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
      </label>
      <fieldset className="plain">
        <legend>{t('filters.when')}</legend>
        <select
          className="field"
          aria-label={t('filters.match')}
          value={draft.match}
          onChange={(event) => change({ match: event.currentTarget.value as Filter['match'] })}
        >
          <option value="all">{t('filters.match.all')}</option>
          <option value="any">{t('filters.match.any')}</option>
        </select>
        {conditions.map((each, at) => (
          <div key={at} className="condition">
            <select
              className="field"
              aria-label={t('filters.field', { number: at + 1 })}
              value={each.field}
              onChange={(event) =>
                condition(at, { field: event.currentTarget.value as Condition['field'] })
              }
            >
              {FILTER_FIELDS.map((field) => (
                <option key={field} value={field}>
                  {t(`filters.field.${field}`)}
                </option>
              ))}
            </select>
            <select
              className="field"
              aria-label={t('filters.is', { number: at + 1 })}
              value={`${each.is}${each.not === true ? 'Not' : ''}`}
              onChange={(event) => {
                const { not: _, ...rest } = each
                const [is, not] = HOWS[event.currentTarget.value as How]
                const next = { ...rest, is, ...(not && { not: true as const }) }
                change({ conditions: conditions.with(at, next) })
              }}
            >
              {(Object.keys(HOWS) as How[]).map((how) => (
                <option key={how} value={how}>
                  {t(`filters.is.${how}`)}
                </option>
              ))}
            </select>
            <input
              className="field"
              type="text"
              required
              maxLength={FILTER_TEXT_MAX}
              aria-label={t('filters.value', { number: at + 1 })}
              value={each.value}
              onChange={(event) => condition(at, { value: event.currentTarget.value })}
            />
            <button
              type="button"
              className="plain-button"
              disabled={conditions.length === 1}
              aria-label={t('filters.removeCondition', { number: at + 1 })}
              onClick={() => change({ conditions: conditions.toSpliced(at, 1) })}
            >
              ×
            </button>
          </div>
        ))}
        <button
          type="button"
          className="plain-button"
          disabled={conditions.length >= CONDITIONS_MAX}
          onClick={() => change({ conditions: [...conditions, EMPTY] })}
        >
          {t('filters.addCondition')}
        </button>
      </fieldset>
      <fieldset className="plain">
        <legend>{t('filters.then')}</legend>
        <label>
          {t('filters.folder')}
          <input
            className="field"
            type="text"
            list={`${id}-folders`}
            maxLength={FILTER_TEXT_MAX}
            value={draft.folder ?? ''}
            placeholder={t('filters.folderHint')}
            onChange={(event) => change({ folder: event.currentTarget.value })}
          />
          <datalist id={`${id}-folders`}>
            {folders.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </label>
        <Check
          isOn={draft.copy === true}
          isOff={(draft.folder ?? '') === ''}
          change={(isOn) => (isOn ? change({ copy: true }) : drop('copy'))}
          word={t('filters.copy')}
        />
        {FILTER_FLAGS.map((flag) => (
          <Check
            key={flag}
            isOn={flags.includes(flag)}
            change={(isOn) =>
              change({
                flags: isOn ? [...flags, flag] : flags.filter((each) => each !== flag),
              })
            }
            word={t(`filters.mark.${flag}`)}
          />
        ))}
        <Check
          isOn={draft.stop === true}
          change={(isOn) => (isOn ? change({ stop: true }) : drop('stop'))}
          word={t('filters.stop')}
        />
      </fieldset>
      {doesNothing && <p className="faint small">{t('filters.doesNothing')}</p>}
      <Trial filter={tidy(draft)} client={props.client} />
      <div className="line-end">
        <button type="button" className="plain-button" onClick={props.close}>
          {t('cancel')}
        </button>
        <button type="submit" className="answer answer-main" disabled={isBusy || doesNothing}>
          {t('save')}
        </button>
      </div>
    </form>
  )
}

const HOWS = {
  contains: ['contains', false],
  containsNot: ['contains', true],
  equals: ['equals', false],
  equalsNot: ['equals', true],
} as const
type How = keyof typeof HOWS

function Check(props: {
  readonly isOn: boolean
  readonly isOff?: boolean
  readonly change: (isOn: boolean) => void
  readonly word: string
}): ReactNode {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={props.isOn}
        disabled={props.isOff === true}
        onChange={(event) => props.change(event.currentTarget.checked)}
      />
      {props.word}
    </label>
  )
}

/** What of the newest mails the filter would have taken. */
function Trial({
  filter,
  client,
}: {
  readonly filter: Filter
  readonly client: MailClient
}): ReactNode {
  const { t } = useWords()
  const [mails, setMails] = useState<readonly TriedMail[] | 'away'>()
  const canTry = filter.conditions.every(({ value }) => value.trim() !== '')
  if (mails === undefined)
    return (
      <button
        type="button"
        className="plain-button"
        disabled={!canTry}
        onClick={() => void recentMails(client).then(setMails, () => setMails('away'))}
      >
        {t('filters.try')}
      </button>
    )
  if (mails === 'away') return <p role="alert">{t('away.start')}</p>
  const found = canTry ? mails.filter((mail) => holds(filter, mail)) : []
  return (
    <div role="status" className="trial">
      <p>{t('filters.tried', { count: found.length, all: mails.length })}</p>
      <ul>
        {found.slice(0, 5).map((mail, at) => (
          <li key={at}>
            <bdi>{mail.from[0]?.name ?? mail.from[0]?.email ?? ''}</bdi>: <bdi>{mail.subject}</bdi>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** As it is sent: nothing that says nothing. */
function tidy({ folder = '', flags = [], copy, stop, isOff, ...rest }: Filter): Filter {
  const path = folder.trim()
  return {
    ...rest,
    ...(isOff === true && { isOff }),
    ...(path !== '' && { folder: path, ...(copy === true && { copy }) }),
    ...(flags.length > 0 && { flags: [...flags] }),
    ...(stop === true && { stop }),
  }
}

/** Of mailboxes of one's own, `/` between the components. */
async function mailboxNames(client: MailClient): Promise<readonly string[]> {
  const { list } = await client.call('Mailbox/get', { properties: ['name', 'parentId', 'role'] })
  const boxes = new Map(
    (
      list as readonly { id: string; name: string; parentId: string | null; role: string | null }[]
    ).map((box) => [box.id, box] as const),
  )
  const pathOf = (id: string, depth = 0): string => {
    const box = boxes.get(id)
    if (box === undefined || depth > 20) return ''
    const name = box.role === 'inbox' ? 'INBOX' : box.name
    return box.parentId === null ? name : `${pathOf(box.parentId, depth + 1)}/${name}`
  }
  return [...boxes.keys()].map((id) => pathOf(id)).toSorted()
}
