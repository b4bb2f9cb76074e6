import { useEffect, useMemo, useRef, useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import { AppPasswordsDialog } from './app-passwords-dialog.tsx'
import { Acts } from './acts.ts'
import type { Desk } from './desk.ts'
import { DestroyDialog, HelpDialog, MoveDialog } from './dialogs.tsx'
import { useKeys } from './keys.ts'
import { LetterWindow } from './letter-window.tsx'
import type { Letters } from './letters.ts'
import type { Doings } from './doings.ts'
import { List } from './list.tsx'
import { mailboxName } from './mailboxes.ts'
import type { MailboxRight } from './nouns.ts'
import { useObserved } from './observed.ts'
import { closeMessage, openMessage, usePlace } from './place.ts'
import { Reader } from './reader.tsx'
import { RestoreDialog } from './restore-dialog.tsx'
import { searchConditions } from './search-terms.ts'
import type { Filter } from './search-terms.ts'
import { TellingBar } from './telling-bar.tsx'
import { TopBar } from './top-bar.tsx'
import { Tree } from './tree.tsx'
import { useAnswering } from './use-answering.ts'
import { useWalk } from './use-walk.ts'

type Asked = 'appPasswords' | 'help' | 'move' | 'destroy' | 'restore'

/** Mailboxes, list and reader, and all that the keys do. */
export function Room(props: {
  readonly desk: Desk
  readonly letters: Letters
  readonly leave: () => void
  /** The login covers it. */
  readonly isBehind: boolean
}): ReactNode {
  const { desk, letters } = props
  const { t } = useWords()
  useObserved(desk)
  useObserved(letters)
  const place = usePlace()
  const box = desk.mailbox(place.box)
  const isSearch = place.search !== ''
  const filter = isSearch ? searchFilter(desk, place) : { inMailbox: box?.id ?? '' }
  const accountId = box?.owner?.id
  const isOwn = box?.role === 'drafts' || box?.role === 'sent'
  const listing = useObserved(desk.listing({ filter, isSearch, isOwn, accountId }))
  const acts = useMemo(() => new Acts(desk), [desk])
  const [cursorId, setCursor] = useState<string>()
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [asked, setAsked] = useState<Asked>()
  const [isTreeOpen, setTreeOpen] = useState(false)
  const searchField = useRef<HTMLInputElement>(null)
  const answer = useAnswering(desk, letters)

  const { messageId } = place
  const viewKey = JSON.stringify({ filter, accountId })
  useEffect(() => {
    setSelected(new Set())
    setCursor(undefined)
    setTreeOpen(false)
  }, [viewKey])
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => {
      if (letters.isBusy) event.preventDefault()
    }
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [letters])

  const current = messageId ?? cursorId
  const chosen: readonly string[] =
    selected.size > 0 ? [...selected] : current === undefined ? [] : [current]
  desk.pin(current === undefined ? chosen : [...chosen, current])
  const open = (id: string): void => {
    setCursor(id)
    const row = desk.row(id)
    if (row?.keywords['$draft'] === true) return void answer.edit(id)
    openMessage(id)
  }
  const turnTo = (id: string): void => {
    setCursor(id)
    if (messageId !== undefined) openMessage(id)
  }
  const walk = useWalk({ listing, current, turnTo })
  /** Does something with what is chosen; where that leaves the list, the next one comes under the eyes. */
  const leaving = (act: (ids: readonly string[]) => void): void => {
    if (chosen.length === 0) return
    const at = current === undefined ? -1 : listing.indexOf(current)
    const gone = new Set(chosen)
    act(chosen)
    setSelected(new Set())
    if (current === undefined || !gone.has(current)) return
    const next = listing.idAt(Math.min(at, listing.length - 1))
    setCursor(next)
    if (messageId === undefined) return
    if (next === undefined || desk.row(next)?.keywords['$draft'] === true || isNarrow())
      closeMessage()
    else openMessage(next)
  }
  const remove = (): void => {
    if (chosen.length === 0) return
    const trash = desk.byRole('trash')
    const areInTrash =
      trash !== undefined && chosen.every((id) => desk.row(id)?.mailboxIds[trash.id] === true)
    // Nobody has a trash in the account of somebody else.
    if (areInTrash || accountId !== undefined) setAsked('destroy')
    else leaving((ids) => void acts.trash(ids))
  }
  const junk = (): void =>
    leaving((ids) => (acts.areJunk(ids) ? acts.notJunk(ids) : acts.junk(ids)))
  const escape = (): void => {
    if (selected.size > 0) setSelected(new Set())
    else if (messageId !== undefined) closeMessage()
  }
  const select = (id: string): void => {
    const next = new Set(selected)
    if (!next.delete(id)) next.add(id)
    setSelected(next)
  }

  const isOwner = accountId === undefined
  const may = (right: MailboxRight): boolean => isOwner || box?.myRights[right] === true
  const doings: Doings = {
    archive: isOwner ? () => leaving((ids) => acts.archive(ids)) : undefined,
    junk: isOwner ? junk : undefined,
    remove: may('mayRemoveItems') ? remove : undefined,
    move: () => setAsked('move'),
    restore: () => setAsked('restore'),
    star: may('maySetKeywords') ? (ids) => acts.toggle(ids, '$flagged') : undefined,
    unread: may('maySetSeen') ? (ids) => acts.toggle(ids, '$seen') : undefined,
  }
  useKeys(
    {
      ...walk.keys,
      Enter: () => current !== undefined && open(current),
      o: () => current !== undefined && open(current),
      u: () => doings.unread?.(chosen),
      s: () => doings.star?.(chosen),
      x: () => current !== undefined && select(current),
      r: () => current !== undefined && void answer.reply(current, false),
      a: () => current !== undefined && void answer.reply(current, true),
      c: () => letters.begin(),
      e: () => doings.archive?.(),
      v: () => chosen.length > 0 && setAsked('move'),
      '#': () => doings.remove?.(),
      Delete: () => doings.remove?.(),
      '!': () => doings.junk?.(),
      z: () => desk.telling.undo(),
      '/': () => searchField.current?.focus(),
      '?': () => setAsked('help'),
      Escape: escape,
    },
    !props.isBehind && asked === undefined,
  )

  const name = isSearch
    ? t('list.found', { text: place.search })
    : box === undefined
      ? t('list.noBox')
      : mailboxName(t, box)
  const unread = box?.unreadEmails ?? 0
  return (
    <div className={messageId === undefined ? 'room' : 'room room-reading'}>
      {!props.isBehind && (
        <title>{`${unread > 0 && !isSearch ? `(${unread}) ` : ''}${name} · Watari`}</title>
      )}
      <TopBar
        desk={desk}
        place={place}
        field={searchField}
        openTree={() => setTreeOpen(!isTreeOpen)}
        isTreeOpen={isTreeOpen}
        openHelp={() => setAsked('help')}
        compose={() => letters.begin()}
        openAppPasswords={() => setAsked('appPasswords')}
        leave={props.leave}
      />
      <Tree
        desk={desk}
        isOpen={isTreeOpen}
        current={isSearch ? undefined : box?.id}
        close={() => setTreeOpen(false)}
        compose={() => letters.begin()}
      />
      <main className="pages">
        <List
          key={viewKey}
          desk={desk}
          listing={listing}
          name={name}
          box={isSearch ? undefined : box}
          current={current}
          isReading={messageId !== undefined}
          selected={selected}
          select={select}
          clear={() => setSelected(new Set())}
          open={open}
          walk={walk}
          doings={doings}
          areJunk={acts.areJunk(chosen)}
        />
        <Reader
          desk={desk}
          id={messageId}
          doings={doings}
          areJunk={messageId !== undefined && acts.areJunk([messageId])}
          reply={(toAll) => messageId !== undefined && void answer.reply(messageId, toAll)}
        />
      </main>
      <LetterWindow desk={desk} letters={letters} />
      <TellingBar telling={desk.telling} />
      {asked === 'help' && <HelpDialog close={() => setAsked(undefined)} />}
      {asked === 'move' && (
        <MoveDialog
          mailboxes={desk.mailboxes}
          count={chosen.length}
          close={() => setAsked(undefined)}
          choose={(to) => {
            const staying = to.owner?.id !== accountId && !may('mayRemoveItems')
            if (staying) acts.move(chosen, to)
            else leaving((ids) => acts.move(ids, to))
          }}
        />
      )}
      {asked === 'appPasswords' && (
        <AppPasswordsDialog client={desk.client} close={() => setAsked(undefined)} />
      )}
      {asked === 'restore' && <RestoreDialog desk={desk} close={() => setAsked(undefined)} />}
      {asked === 'destroy' && (
        <DestroyDialog
          count={chosen.length}
          close={() => setAsked(undefined)}
          destroy={() => leaving((ids) => void desk.destroy(ids))}
        />
      )}
    </div>
  )
}

const isNarrow = (): boolean => matchMedia('(max-width: 760px)').matches

/** Everywhere leaves out what was thrown away and what is junk: who looks there goes there. */
function searchFilter(desk: Desk, place: ReturnType<typeof usePlace>): Record<string, unknown> {
  const box = desk.mailbox(place.box)
  const junk = desk.byRole('junk')?.id
  const apart = desk.own
    .filter(
      ({ role, parentId }) =>
        role === 'trash' || role === 'junk' || (parentId !== null && parentId === junk),
    )
    .map(({ id }) => id)
  const conditions: Filter[] = [...searchConditions(place.search)]
  if (!place.isEverywhere && box !== undefined) conditions.unshift({ inMailbox: box.id })
  // Everywhere is what one owner shares, where one looks at something of theirs.
  else if (box?.owner === undefined) conditions.unshift({ inMailboxOtherThan: apart })
  return { operator: 'AND', conditions }
}
