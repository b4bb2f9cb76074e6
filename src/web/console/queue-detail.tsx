import type { ReactNode } from 'react'

import type { QueueMessageBody } from '#contract/admin/mail.ts'
import { setQuery } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { Mark } from '#web/parts/mark.tsx'
import { dateText } from '#web/parts/times.ts'

import { queryOf } from '#web/parts/api.ts'
import { STATE_MARKS } from './queue-state.ts'

/** One message of the queue: for whom it waits, since when, and why. */
export function MailDetail(props: {
  readonly id: string
  /** Absent: it waits no more, or cannot be asked for. */
  readonly message: QueueMessageBody | undefined
  readonly missing: string
  readonly acts: ReactNode
}): ReactNode {
  const { t } = useWords()
  const { message } = props
  return (
    <aside className="sheet detail" aria-label={t('queue.detail')}>
      <div className="detail-head">
        <h2 className="code">{props.id}</h2>
        <button type="button" aria-label={t('close')} onClick={() => setQuery({ id: undefined })}>
          ×
        </button>
      </div>
      {message === undefined ? (
        <p>{props.missing}</p>
      ) : (
        <>
          <div className="acts">{props.acts}</div>
          <Facts message={message} />
        </>
      )}
    </aside>
  )
}

function Facts({ message }: { readonly message: QueueMessageBody }): ReactNode {
  const { t, language } = useWords()
  return (
    <>
      <dl className="facts facts-narrow">
        <div>
          <dt>{t('mail.from')}</dt>
          <dd>{message.from === '' ? t('mail.system') : message.from}</dd>
        </div>
        <div>
          <dt>{t('mail.received')}</dt>
          <dd>{dateText(language, message.received)}</dd>
        </div>
        <div>
          <dt>{t('queue.expires')}</dt>
          <dd>{dateText(language, message.expires)}</dd>
        </div>
        <div>
          <dt>{t('queue.node')}</dt>
          <dd>{message.node}</dd>
        </div>
      </dl>
      <h3>{t('trace.recipients')}</h3>
      <ul className="outcomes">
        {message.recipients.map((recipient) => (
          <li key={recipient.address}>
            <Mark kind={STATE_MARKS[recipient.state]}>{t(`queue.${recipient.state}`)}</Mark>{' '}
            <strong>{recipient.address}</strong>
            <div className="faint">
              {recipient.hold}
              {recipient.lastStatus}{' '}
              {recipient.nextAttempt !== undefined &&
                t('queue.next', {
                  time: dateText(language, recipient.nextAttempt),
                  count: recipient.attempts,
                })}
            </div>
          </li>
        ))}
      </ul>
      <p>
        <Link to={`/console/trace${queryOf({ q: message.deliveryId })}`}>{t('queue.trace')}</Link>
      </p>
    </>
  )
}
