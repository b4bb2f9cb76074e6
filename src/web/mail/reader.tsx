import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { dateText, relativeText } from '#web/parts/times.ts'

import { Attachments, BodyText } from './body.tsx'
import { DaysLeft } from './days-left.tsx'
import type { Desk } from './desk.ts'
import { Icon, Tool } from './icons.tsx'
import { loadMessage } from './messages.ts'
import { has, nameOf, personText, plain } from './nouns.ts'
import type { Message, Person } from './nouns.ts'
import { useObserved } from './observed.ts'
import { closeMessage } from './place.ts'
import type { Doings } from './doings.ts'
import { Truth } from './truth.tsx'

/** Signs of a subject that is shown smaller. */
const SUBJECT_LONG = 120
/** Of a field of addresses; the others are shown when somebody asks. */
const PEOPLE_SHOWN = 6

/** The message that the address names. */
export function Reader(props: {
  readonly desk: Desk
  readonly id: string | undefined
  readonly doings: Doings
  readonly areJunk: boolean
  readonly reply: (toAll: boolean) => void
}): ReactNode {
  const { t } = useWords()
  const { desk, id } = props
  const place = useRef<HTMLElement>(null)
  useObserved(desk)
  const found = useQuery({
    queryKey: ['message', desk.client.accountId, id],
    queryFn: () => loadMessage(desk, id!),
    enabled: id !== undefined,
    staleTime: Infinity,
    retry: false,
  })
  const message = found.data ?? undefined
  // Reading is what makes it read; what was set unread since it was opened stays so.
  const readId = message?.id
  const wasUnread = useMemo(() => {
    const opened = id === undefined ? undefined : desk.row(id)
    return opened === undefined || !has(opened, '$seen')
  }, [desk, id])
  useEffect(() => {
    if (readId !== undefined && wasUnread) void desk.mark([readId], '$seen', true)
    place.current?.scrollTo(0, 0)
  }, [desk, readId, wasUnread])
  const row = id === undefined ? undefined : desk.row(id)
  if (id === undefined)
    return (
      <section className="reader reader-empty" aria-label={t('reader.title')}>
        <p className="faint">{t('reader.empty')}</p>
      </section>
    )
  return (
    <section className="reader" ref={place} tabIndex={-1} aria-label={t('reader.title')}>
      <div className="reader-tools" role="toolbar" aria-label={t('reader.tools')}>
        <span className="reader-back">
          <Tool icon="back" word={t('act.back')} onPress={closeMessage} isOnlyIcon />
        </span>
        <Tools {...props} id={id} />
      </div>
      {message !== undefined && <Letter {...props} message={message} />}
      {found.isPending && (
        <div className="letter" role="status">
          <Subject text={row?.subject} />
          <div className="ghost" />
          <div className="ghost" />
        </div>
      )}
      {found.data === null && (
        <div className="letter">
          <Subject text={row?.subject} />
          <p>{t('reader.gone')}</p>
        </div>
      )}
      {found.isError && (
        <div className="letter" role="alert">
          <Subject text={row?.subject} />
          <p>{t('reader.away')}</p>
          <button type="button" className="plain-button" onClick={() => void found.refetch()}>
            {t('retry')}
          </button>
        </div>
      )}
    </section>
  )
}

function Tools(props: {
  readonly desk: Desk
  readonly id: string
  readonly doings: Doings
  readonly areJunk: boolean
}): ReactNode {
  const { t } = useWords()
  const { doings, id } = props
  const { unread, star } = doings
  const row = props.desk.row(id)
  const isUnread = row !== undefined && !has(row, '$seen')
  const isStarred = row !== undefined && has(row, '$flagged')
  return (
    <>
      {doings.archive && (
        <Tool icon="archive" word={t('act.archive')} onPress={doings.archive} shortcut="e" />
      )}
      {doings.junk && (
        <Tool
          icon={props.areJunk ? 'clear' : 'junk'}
          word={t(props.areJunk ? 'act.notJunk' : 'act.junk')}
          onPress={doings.junk}
          shortcut="!"
        />
      )}
      {doings.remove && (
        <Tool icon="trash" word={t('act.trash')} onPress={doings.remove} shortcut="#" />
      )}
      <Tool icon="move" word={t('act.move')} onPress={doings.move} shortcut="v" />
      {unread && (
        <Tool
          icon="unread"
          word={t(isUnread ? 'act.read' : 'act.unread')}
          onPress={() => unread([id])}
          shortcut="u"
        />
      )}
      {star && (
        <Tool
          icon="star"
          word={t('act.star')}
          onPress={() => star([id])}
          isOnlyIcon
          isPressed={isStarred}
          isFull={isStarred}
          shortcut="s"
        />
      )}
    </>
  )
}

/** As soon as the list or the mail has told it. */
function Subject(props: { readonly text: string | null | undefined }): ReactNode {
  const { t } = useWords()
  if (props.text === undefined) return <h1 className="only-read">{t('reader.title')}</h1>
  const subject = plain(props.text ?? '')
  return (
    <h1 className={subject.length > SUBJECT_LONG ? 'subject subject-long' : 'subject'}>
      {subject === '' ? t('mail.noSubject') : <bdi>{subject}</bdi>}
    </h1>
  )
}

function Letter(props: {
  readonly desk: Desk
  readonly message: Message
  readonly reply: (toAll: boolean) => void
}): ReactNode {
  const { t, language } = useWords()
  const { message, desk } = props
  const when = message.receivedAt
  const [author] = message.from ?? []
  return (
    <article className="letter">
      <Subject text={message.subject} />
      <header className="letter-head">
        <span className="face face-large" aria-hidden="true">
          {(author === undefined ? '?' : nameOf(author)).slice(0, 1).toUpperCase()}
        </span>
        <div className="letter-who">
          <p className="author">
            {author === undefined ? (
              t('mail.nobody')
            ) : (
              <>
                <strong>
                  <bdi>{nameOf(author)}</bdi>
                </strong>
                {author.name !== null && <bdi className="faint address">{plain(author.email)}</bdi>}
              </>
            )}
          </p>
          <People key={`to ${message.id}`} word={t('reader.to')} people={message.to} />
          <People key={`cc ${message.id}`} word={t('reader.cc')} people={message.cc} />
          <People key={`bcc ${message.id}`} word={t('reader.bcc')} people={message.bcc} />
        </div>
        <time className="faint" dateTime={when} title={relativeText(language, when)}>
          {dateText(language, when)}
        </time>
      </header>
      <DaysLeft expiresAt={message.expiresAt} isAlways />
      <Truth message={message} />
      <Attachments desk={desk} message={message} />
      <BodyText message={message} />
      <footer className="letter-end">
        <button
          type="button"
          className="answer"
          aria-keyshortcuts="r"
          onClick={() => props.reply(false)}
        >
          <Icon name="reply" />
          {t('act.reply')}
        </button>
        <button
          type="button"
          className="answer"
          aria-keyshortcuts="a"
          onClick={() => props.reply(true)}
        >
          <Icon name="replyAll" />
          {t('act.replyAll')}
        </button>
      </footer>
      <AllHeaders key={message.id} desk={desk} message={message} />
    </article>
  )
}

function People(props: {
  readonly word: string
  readonly people: readonly Person[] | null
}): ReactNode {
  const { t } = useWords()
  const [isWhole, setWhole] = useState(false)
  const people = props.people ?? []
  if (people.length === 0) return null
  const shown =
    isWhole || people.length <= PEOPLE_SHOWN + 1 ? people : people.slice(0, PEOPLE_SHOWN)
  const more = people.length - shown.length
  return (
    <p className="faint people">
      {props.word}{' '}
      {shown.map((each, index) => (
        <span key={index} title={personText(each)}>
          {index > 0 && ', '}
          <bdi>{nameOf(each)}</bdi>
        </span>
      ))}
      {more > 0 && (
        <button type="button" className="more-people" onClick={() => setWhole(true)}>
          {t('reader.more', { count: more })}
        </button>
      )}
    </p>
  )
}

/** The header as it came, and the whole message as a file. */
function AllHeaders(props: { readonly desk: Desk; readonly message: Message }): ReactNode {
  const { t } = useWords()
  const { desk, message } = props
  const [isOpen, setOpen] = useState(false)
  const headers = useQuery({
    queryKey: ['headers', desk.client.accountId, message.id],
    queryFn: async () => {
      const answer = await desk.client.call('Email/get', {
        ids: [message.id],
        properties: ['headers'],
      })
      const [email] = answer['list'] as { headers: { name: string; value: string }[] }[]
      return email?.headers ?? []
    },
    enabled: isOpen,
    staleTime: Infinity,
  })
  return (
    <details className="all-headers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('reader.headers')}</summary>
      <p>
        <a href={desk.client.downloadUrl(message, 'mail.eml', 'message/rfc822')} download>
          {t('reader.source')}
        </a>
      </p>
      <dl className="headers">
        {(headers.data ?? []).map(({ name, value }, index) => (
          <div key={index}>
            <dt>{plain(name)}</dt>
            <dd>
              <bdi>{plain(value)}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  )
}
