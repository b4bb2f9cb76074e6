import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { numberText } from '#web/parts/times.ts'

import type { Desk } from './desk.ts'
import { Tool } from './icons.tsx'
import type { Listing } from './listing.ts'
import type { Mailbox } from './nouns.ts'
import { ListRow } from './list-row.tsx'
import { QuotaNotice } from './quota.tsx'
import type { Doings } from './doings.ts'
import type { Walk } from './use-walk.ts'

/** As mail.css has it. */
const ROW_PX = 76
const BEYOND = 6

interface ListProps {
  readonly desk: Desk
  readonly listing: Listing
  readonly name: string
  /** Absent in a search. */
  readonly box: Mailbox | undefined
  readonly current: string | undefined
  readonly isReading: boolean
  readonly selected: ReadonlySet<string>
  readonly select: (id: string) => void
  readonly clear: () => void
  readonly open: (id: string) => void
  readonly walk: Walk
  readonly doings: Doings
  readonly areJunk: boolean
}

/** The emails of a view. Only rows that are in sight are on the page, of however many. */
export function List(props: ListProps): ReactNode {
  const { t, language } = useWords()
  const { listing, box, selected, current } = props
  const scroller = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState({ top: 0, height: 800 })
  const [isUnderPointer, setUnderPointer] = useState(false)

  const look = (): void => {
    const element = scroller.current
    if (element !== null) setSight({ top: element.scrollTop, height: element.clientHeight })
  }
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const observer = new ResizeObserver(look)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  // What has gone elsewhere goes here too, but never under the pointer.
  const { isBehind, newCount, length } = listing
  useEffect(() => {
    if (isBehind && newCount === 0 && !isUnderPointer) listing.show()
  }, [isBehind, newCount, isUnderPointer, listing])

  const first = Math.max(0, Math.floor(sight.top / ROW_PX) - BEYOND)
  const last = Math.min(length - 1, Math.ceil((sight.top + sight.height) / ROW_PX) + BEYOND)
  useEffect(() => listing.ensure(first, last), [listing, first, last, length])

  const show = (index: number): void => {
    const element = scroller.current
    if (element === null) return
    const top = index * ROW_PX
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + ROW_PX > element.scrollTop + element.clientHeight)
      element.scrollTop = top + ROW_PX - element.clientHeight
  }
  const { sight: walked } = props.walk
  useEffect(() => {
    const { top, height } = sight
    const whole = { first: Math.ceil(top / ROW_PX), last: Math.floor((top + height) / ROW_PX) - 1 }
    walked.current = { ...whole, show }
  })
  // Once for each: who scrolls on is not pulled back.
  const currentAt = current === undefined ? -1 : listing.indexOf(current)
  const shown = useRef<string>(undefined)
  useLayoutEffect(() => {
    if (shown.current === current || (current !== undefined && currentAt < 0)) return
    shown.current = current
    if (currentAt >= 0) show(currentAt)
  }, [current, currentAt])

  // What is read is what the page is about.
  const Heading = props.isReading ? 'h2' : 'h1'
  const rows = []
  for (let index = first; index <= last; index++) {
    const row = listing.at(index)
    rows.push(
      <li
        key={listing.idAt(index) ?? `at ${index}`}
        className={`at-row ${row === undefined ? 'row-coming' : ''}`}
        style={{ top: index * ROW_PX }}
        aria-setsize={length}
        aria-posinset={index + 1}
      >
        {row !== undefined && (
          <ListRow
            row={row}
            box={box}
            mailboxes={props.desk.mailboxes}
            isCurrent={row.id === current}
            isSelected={selected.has(row.id)}
            select={() => props.select(row.id)}
            star={props.doings.star && (() => props.doings.star?.([row.id]))}
            open={() => props.open(row.id)}
          />
        )}
      </li>,
    )
  }
  return (
    <section
      className="list"
      aria-label={props.name}
      onPointerEnter={() => setUnderPointer(true)}
      onPointerLeave={() => setUnderPointer(false)}
    >
      <div className="list-head">
        <Heading className={selected.size > 0 ? 'only-read' : 'list-name'}>
          <bdi>{props.name}</bdi>
        </Heading>
        {selected.size > 0 ? (
          <SelectionBar {...props} />
        ) : (
          <>
            {typeof box?.retainDays === 'number' && (
              <span className="list-kept">{t('box.kept', { count: box.retainDays })}</span>
            )}
            {box?.role === 'trash' && (
              <button type="button" className="list-restore" onClick={props.doings.restore}>
                {t('restore.open')}
              </button>
            )}
            <span className="faint list-count" role="status">
              {listing.state === 'there' &&
                box !== undefined &&
                t('list.count', { count: length, number: numberText(language, length) })}
            </span>
          </>
        )}
      </div>
      <QuotaNotice quotas={props.desk.quotas} />
      {newCount > 0 && (
        <button
          type="button"
          className="new-mail"
          onClick={() => {
            listing.show()
            scroller.current?.scrollTo(0, 0)
          }}
        >
          {t(newCount >= 50 ? 'list.manyNew' : 'list.new', { count: newCount })}
        </button>
      )}
      <div
        className="scroller"
        ref={scroller}
        onScroll={look}
        tabIndex={-1}
        aria-busy={listing.state === 'loading'}
      >
        {length === 0 ? (
          <Nothing {...props} />
        ) : (
          <ul className="rows" style={{ height: length * ROW_PX }}>
            {rows}
          </ul>
        )}
      </div>
    </section>
  )
}

/** Why there are no rows: they are coming, cannot come, or there are none. */
function Nothing({ listing, box }: ListProps): ReactNode {
  const { t } = useWords()
  const [isSlow, setSlow] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 1_000)
    return () => clearTimeout(timer)
  }, [])
  if (listing.state === 'loading')
    return (
      <div className="coming-rows" role="status">
        {isSlow && <p className="faint">{t(box === undefined ? 'list.searching' : 'loading')}</p>}
        <div className="ghost" />
        <div className="ghost" />
        <div className="ghost" />
      </div>
    )
  if (listing.state !== 'there')
    return (
      <div className="nothing" role="alert">
        <p>{t(listing.state === 'away' ? 'list.away' : 'list.refused')}</p>
        <button type="button" className="plain-button" onClick={() => listing.again()}>
          {t('retry')}
        </button>
      </div>
    )
  const role = box?.role ?? ''
  const known = ['inbox', 'drafts', 'junk', 'trash', 'archive', 'sent'].includes(role)
  return (
    <div className="nothing faint">
      <p>{t(box === undefined ? 'list.notFound' : known ? `empty.${role}` : 'empty.other')}</p>
    </div>
  )
}

/** What can be done with all that is chosen. */
function SelectionBar(props: ListProps): ReactNode {
  const { t } = useWords()
  const { doings, selected } = props
  const { unread } = doings
  const ids = [...selected]
  return (
    <div className="selection" role="toolbar" aria-label={t('select.title')}>
      <Tool icon="close" word={t('select.none')} onPress={props.clear} isOnlyIcon />
      <span className="selection-count">{t('select.count', { count: ids.length })}</span>
      {doings.archive && (
        <Tool icon="archive" word={t('act.archive')} onPress={doings.archive} isOnlyIcon />
      )}
      {doings.junk && (
        <Tool
          icon={props.areJunk ? 'clear' : 'junk'}
          word={t(props.areJunk ? 'act.notJunk' : 'act.junk')}
          onPress={doings.junk}
          isOnlyIcon
        />
      )}
      {doings.remove && (
        <Tool icon="trash" word={t('act.trash')} onPress={doings.remove} isOnlyIcon />
      )}
      <Tool icon="move" word={t('act.move')} onPress={doings.move} isOnlyIcon />
      {unread && (
        <Tool icon="unread" word={t('act.toggleUnread')} onPress={() => unread(ids)} isOnlyIcon />
      )}
    </div>
  )
}
