import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'
import type { Language } from '#web/parts/times.ts'

import { DaysLeft } from './days-left.tsx'
import { Icon } from './icons.tsx'
import { mailboxPath } from './mailboxes.ts'
import { has, nameOf, plain } from './nouns.ts'
import type { Mailbox, Row } from './nouns.ts'
import { messagePath } from './place.ts'

/** Who, when, about what, and how it begins. All of it is text that strangers wrote. */
export function ListRow(props: {
  readonly row: Row
  readonly box: Mailbox | undefined
  readonly mailboxes: readonly Mailbox[]
  readonly isCurrent: boolean
  readonly isSelected: boolean
  readonly select: () => void
  readonly star: (() => void) | undefined
  readonly open: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { row, box } = props
  const isUnread = !has(row, '$seen')
  const isDraft = has(row, '$draft')
  const isOut = isDraft || box?.role === 'sent'
  const people = (isOut ? row.to : row.from) ?? []
  const who = new Intl.ListFormat(language, { type: 'unit' }).format(people.map(nameOf))
  const subject = plain(row.subject ?? '')
  const isStarred = has(row, '$flagged')
  const where =
    box === undefined ? props.mailboxes.find(({ id }) => row.mailboxIds[id] === true) : undefined
  return (
    <div
      className={[
        'row',
        isUnread ? 'row-unread' : '',
        props.isCurrent ? 'row-current' : '',
        props.isSelected ? 'row-selected' : '',
      ].join(' ')}
    >
      <label className="row-select">
        <input
          type="checkbox"
          checked={props.isSelected}
          onChange={props.select}
          aria-label={t('select.one', { subject: subject || t('mail.noSubject') })}
        />
      </label>
      <a
        href={messagePath(row.id)}
        className="row-link"
        aria-current={props.isCurrent ? 'true' : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
          event.preventDefault()
          props.open()
        }}
      >
        <span className="row-line">
          <span className="row-who">
            {isUnread && <span className="only-read">{t('mail.unread')} </span>}
            {isDraft && <span className="row-draft">{t('mail.draft')} </span>}
            <bdi>{isOut && who !== '' ? t('mail.toWhom', { who }) : who || t('mail.nobody')}</bdi>
          </span>
          {has(row, '$answered') && (
            <span className="row-mark" title={t('mail.answered')}>
              <Icon name="reply" />
              <span className="only-read">{t('mail.answered')}</span>
            </span>
          )}
          {row.hasAttachment && (
            <span className="row-mark" title={t('mail.hasAttachment')}>
              <Icon name="clip" />
              <span className="only-read">{t('mail.hasAttachment')}</span>
            </span>
          )}
          <time dateTime={row.receivedAt} title={dateText(language, row.receivedAt)}>
            {shortTime(language, row.receivedAt)}
          </time>
        </span>
        <span className="row-subject">
          {subject === '' ? (
            <span className="faint">{t('mail.noSubject')}</span>
          ) : (
            <bdi>{subject}</bdi>
          )}
        </span>
        <span className="row-preview">
          <DaysLeft expiresAt={row.expiresAt} />
          {where !== undefined && (
            <bdi className="row-where">{mailboxPath(t, where, props.mailboxes)}</bdi>
          )}
          <bdi>{plain(row.preview)}</bdi>
        </span>
      </a>
      <button
        type="button"
        className={isStarred ? 'row-star row-starred' : 'row-star'}
        aria-label={t('act.star')}
        aria-pressed={isStarred}
        disabled={props.star === undefined}
        onClick={props.star}
      >
        <Icon name="star" isFull={isStarred} />
      </button>
    </div>
  )
}

/** `10:02` today, `11月25日` / `25 Nov` this year, `2025/11/25` before. */
function shortTime(language: Language, iso: string, now = new Date()): string {
  const date = new Date(iso)
  const locale = language === 'ja' ? 'ja-JP' : 'en-GB'
  if (date.toDateString() === now.toDateString())
    return date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  if (date.getFullYear() === now.getFullYear())
    return date.toLocaleDateString(locale, { month: 'short', day: 'numeric' })
  return date.toLocaleDateString(locale, { year: 'numeric', month: 'numeric', day: 'numeric' })
}
