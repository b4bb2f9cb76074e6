import { useState } from 'react'
import type { ReactNode } from 'react'

import type { ChoicesBody } from '#contract/admin/choices.ts'
import {
  AWAY_TEXT,
  VACATION_DAYS_MAX,
  VACATION_SUBJECT_MAX,
  VACATION_TEXT_MAX,
} from '#model/choice-limits.ts'
import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'
import { dayOf, dayText, startOf, zoneName } from './days.ts'

type Vacation = NonNullable<ChoicesBody['vacation']>

/** What answers while somebody is away. */
export function Away(): ReactNode {
  const { view } = useChoosing()
  // What somebody else has changed meanwhile is shown anew.
  return <AwayForm key={view.revision} />
}

function AwayForm(): ReactNode {
  const { t } = useWords()
  const { view, set, isBusy } = useChoosing()
  const before = view.vacation
  const [isOn, setOn] = useState(before?.isOn ?? false)
  const [from, setFrom] = useState(dayOf(before?.from))
  const [until, setUntil] = useState(dayOf(before?.until, 1))
  const [subject, setSubject] = useState(before?.subject ?? '')
  const [text, setText] = useState(before?.text ?? '')
  const [outside, setOutside] = useState(before?.outsideText)
  const [days, setDays] = useState(before?.days ?? 7)
  const [to, setTo] = useState<Vacation['to']>(before?.to ?? 'everybody')
  const html = before?.html
  const isRewritten = text !== before?.text
  const isBackwards = from !== '' && until !== '' && from > until
  const save = (): void => {
    const [first, end] = [startOf(from), startOf(until, 1)]
    const vacation: Vacation = {
      isOn,
      ...(first !== undefined && { from: first }),
      ...(end !== undefined && { until: end }),
      ...(subject !== '' && { subject }),
      text,
      // What a program has written beside another text says something else.
      ...(html !== undefined && !isRewritten && { html }),
      ...(to === 'everybody' && outside !== undefined && { outsideText: outside }),
      days,
      to,
    }
    void set({ vacation }, t(isOn ? 'away.doneOn' : 'away.doneOff'))
  }
  return (
    <>
      <State vacation={before} />
      {view.forward?.keep === false && isOn && (
        <p className="mark mark-warn wide-mark">△ {t('forwarding.noVacation')}</p>
      )}
      <form
        className="sheet form"
        onSubmit={(event) => {
          event.preventDefault()
          if (!isBackwards) save()
        }}
      >
        <label className="check">
          <input
            type="checkbox"
            checked={isOn}
            onChange={(event) => setOn(event.currentTarget.checked)}
          />
          {t('away.on')}
        </label>
        <div className="two">
          <label>
            {t('away.from')}
            <input
              className="field"
              type="date"
              value={from}
              onChange={(event) => setFrom(event.currentTarget.value)}
            />
          </label>
          <label>
            {t('away.until')}
            <input
              className="field"
              type="date"
              value={until}
              min={from}
              aria-invalid={isBackwards}
              onChange={(event) => setUntil(event.currentTarget.value)}
            />
          </label>
        </div>
        <p className="faint small">{t('away.zone', { zone: zoneName() })}</p>
        {isBackwards && <p className="said-no">{t('away.backwards')}</p>}
        <label>
          {t('away.subject')}
          <input
            className="field"
            type="text"
            maxLength={VACATION_SUBJECT_MAX}
            value={subject}
            placeholder={t('away.subjectHint')}
            onChange={(event) => setSubject(event.currentTarget.value)}
          />
        </label>
        <label>
          {t('away.text')}
          <textarea
            className="field"
            rows={8}
            maxLength={VACATION_TEXT_MAX}
            value={text}
            placeholder={AWAY_TEXT}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        </label>
        {html !== undefined && (
          <p className="faint small">{t(isRewritten ? 'away.htmlGoes' : 'away.html')}</p>
        )}
        <fieldset className="plain">
          <legend>{t('away.to')}</legend>
          {(['everybody', 'colleagues'] as const).map((each) => (
            <label key={each} className="check">
              <input type="radio" name="to" checked={to === each} onChange={() => setTo(each)} />
              {t(`away.to.${each}`, { domains: view.domains.join(', ') })}
            </label>
          ))}
        </fieldset>
        {to === 'everybody' && <Outside text={outside} onText={setOutside} />}
        <label className="check">
          {t('away.daysBefore')}
          <input
            className="field number"
            type="number"
            min={1}
            max={VACATION_DAYS_MAX}
            required
            value={days}
            onChange={(event) => setDays(event.currentTarget.valueAsNumber)}
          />
          {t('away.daysAfter')}
        </label>
        <p className="faint small">{t('away.never')}</p>
        <div className="line-end">
          <button type="submit" className="answer answer-main" disabled={isBusy || isBackwards}>
            {t('save')}
          </button>
        </div>
      </form>
    </>
  )
}

/** What those hear who are no colleagues, where that is something else. */
function Outside(props: {
  readonly text: string | undefined
  readonly onText: (text: string | undefined) => void
}): ReactNode {
  const { t } = useWords()
  const { text, onText } = props
  return (
    <>
      <label className="check">
        <input
          type="checkbox"
          checked={text !== undefined}
          onChange={(event) => onText(event.currentTarget.checked ? '' : undefined)}
        />
        {t('away.outside')}
      </label>
      {text !== undefined && (
        <label>
          {t('away.outsideText')}
          <textarea
            className="field"
            rows={5}
            required
            maxLength={VACATION_TEXT_MAX}
            value={text}
            onChange={(event) => onText(event.currentTarget.value)}
          />
        </label>
      )}
    </>
  )
}

/** One sentence: whether mail is answered now, and until when. */
function State({ vacation }: { readonly vacation: Vacation | null }): ReactNode {
  const { t, language } = useWords()
  const now = new Date().toISOString()
  const { isOn = false, from, until } = vacation ?? {}
  if (!isOn) return <p className="state">{t('away.isOff')}</p>
  if (until !== undefined && until <= now)
    return <p className="state">{t('away.isOver', { day: dayText(language, until, 1) })}</p>
  const last = until === undefined ? '' : dayText(language, until, 1)
  if (from !== undefined && from > now) {
    const first = dayText(language, from)
    return (
      <p className="state">
        {until === undefined ? t('away.willBe', { first }) : t('away.willBeUntil', { first, last })}
      </p>
    )
  }
  return (
    <p className="state">{until === undefined ? t('away.isOn') : t('away.isOnUntil', { last })}</p>
  )
}
