import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { numberText } from '#web/parts/times.ts'

import type { Desk } from './desk.ts'
import { Icon } from './icons.tsx'
import type { IconName } from './icons.tsx'
import { inTreeOrder, mailboxName } from './mailboxes.ts'
import { plain } from './nouns.ts'
import type { Mailbox } from './nouns.ts'
import { boxPath } from './place.ts'
import { QuotaMeter } from './quota.tsx'

const ICONS: Readonly<Record<string, IconName>> = {
  inbox: 'inbox',
  drafts: 'pencil',
  sent: 'send',
  archive: 'archive',
  junk: 'junk',
  trash: 'trash',
}

/** The mailboxes, with what is unread in them. */
export function Tree(props: {
  readonly desk: Desk
  readonly current: string | undefined
  readonly isOpen: boolean
  readonly close: () => void
  readonly compose: () => void
}): ReactNode {
  const { t } = useWords()
  const { mailboxes } = props.desk
  const byId = new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox]))
  // What a mailbox has from the one above it is said there.
  const daysAbove = ({ parentId }: Mailbox) => byId.get(parentId ?? '')?.retainDays
  const own = mailboxes.filter(({ owner }) => owner === undefined)
  const others = Map.groupBy(
    mailboxes.filter(({ owner }) => owner !== undefined),
    ({ owner }) => owner!.id,
  )
  const boxes = (list: readonly Mailbox[]): ReactNode =>
    inTreeOrder(list).map(({ mailbox, depth }) => (
      <li key={mailbox.id} className={`depth-${Math.min(depth, 5)}`}>
        <BoxLink
          mailbox={mailbox}
          isCurrent={mailbox.id === props.current}
          days={mailbox.retainDays === daysAbove(mailbox) ? null : mailbox.retainDays}
        />
      </li>
    ))
  return (
    <>
      {props.isOpen && <div className="veil" onClick={props.close} />}
      <nav className={props.isOpen ? 'tree tree-open' : 'tree'} aria-label={t('tree.title')}>
        <button type="button" className="compose" onClick={props.compose} aria-keyshortcuts="c">
          <Icon name="pencil" />
          {t('letter.new')}
        </button>
        <ul>{boxes(own)}</ul>
        {others.size > 0 && (
          <section className="others" aria-label={t('tree.others')}>
            <h2 className="others-title">{t('tree.others')}</h2>
            {Array.from(others, ([id, list]) => (
              <section key={id} aria-label={plain(list[0]!.owner!.name)}>
                <h3 className="others-name">
                  <bdi>{plain(list[0]!.owner!.name)}</bdi>
                </h3>
                <ul>{boxes(list)}</ul>
              </section>
            ))}
          </section>
        )}
        <QuotaMeter quotas={props.desk.quotas} />
      </nav>
    </>
  )
}

function BoxLink(props: {
  readonly mailbox: Mailbox
  readonly isCurrent: boolean
  /** After which its mail goes, where that is worth saying. */
  readonly days: number | null | undefined
}): ReactNode {
  const { t, language } = useWords()
  const { mailbox, days } = props
  const isDrafts = mailbox.role === 'drafts'
  const count = isDrafts ? mailbox.totalEmails : mailbox.unreadEmails
  const icon = <Icon name={ICONS[mailbox.role ?? ''] ?? 'folder'} />
  const name = <bdi className="box-name">{mailboxName(t, mailbox)}</bdi>
  if (!mailbox.myRights.mayReadItems)
    return (
      <span className="box faint">
        {icon}
        {name}
      </span>
    )
  return (
    <Link to={boxPath(mailbox)} className="box" current={props.isCurrent}>
      {icon}
      {name}
      {typeof days === 'number' && (
        <span className="box-kept" title={t('box.kept', { count: days })}>
          <span aria-hidden="true">{t('box.days', { count: days })}</span>
          <span className="only-read">{t('box.kept', { count: days })}</span>
        </span>
      )}
      {count > 0 && (
        <span className={isDrafts ? 'count count-faint' : 'count'}>
          {numberText(language, count)}
          <span className="only-read">{t(isDrafts ? 'tree.drafts' : 'tree.unread')}</span>
        </span>
      )}
    </Link>
  )
}
