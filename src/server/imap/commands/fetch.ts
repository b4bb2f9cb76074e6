import type { FetchItem } from '#codec/imap/fetch-item.ts'
import { partOf } from '#codec/imap/search-key.ts'
import type { ModSeq } from '#model/mailbox.ts'
import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand, Named } from '#server/imap/session/command.ts'
import { bad, damaged, done, no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { fetchContent } from '#server/imap/fetch/fetch-content.ts'
import type { FetchPlan } from '#server/imap/fetch/fetch-plan.ts'
import { fetchTexts } from '#server/imap/fetch/fetch-texts.ts'
import { may } from '#server/imap/view/rights.ts'
import { writeRows } from '#server/imap/fetch/row-lines.ts'
import { TEXT_KINDS } from '#server/imap/view/shown-texts.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import { isNamed, tellVanished } from '#server/imap/fetch/vanished.ts'

/** RFC 9051 §6.4.5, with CHANGEDSINCE of RFC 7162 §3.1.4.1. */
export const fetch: ImapCommand<'FETCH'> = {
  name: 'FETCH',
  states: SELECTED,
  async run(session, command) {
    const { selected } = session
    if (selected === undefined) return bad('No mailbox is selected')
    const named = selected.rowsOf(command.set, command.uid ? 'uid' : 'seq')
    if (named === 'outOfRange') return bad('No such message')
    if (command.vanished && !session.qresync) return bad('ENABLE QRESYNC comes first')
    if (session.rev2 && command.items.some((item) => item.kind === 'section' && item.legacy))
      return bad('No such item in IMAP4rev2') // RFC 9051 appendix E
    const plan = planOf(session, command)
    session.announceKeywords()
    const since = command.changedSince
    if (command.vanished && since !== undefined)
      await tellVanished(session, selected, { since, isAsked: isNamed(command.set, selected) })
    const { view } = selected
    // Expunged before their rows were read: nothing is known of them but their numbers.
    const known =
      view.bare.size === 0 ? named : named.filter((row) => !view.bare.has(view.uids[row]!))
    const changed =
      since === undefined
        ? known
        : known.filter((row) => view.modSeqs[row]! > Number(since as ModSeq))
    const rows = command.partial === undefined ? changed : partOf(changed, command.partial)
    const missing = named.length - known.length
    const fetched = (gone: number): Completion =>
      gone + missing === 0 ? done('Fetched') : no('EXPUNGEISSUED', 'Some messages no longer exist') // RFC 5530 §3
    if (plan.hasSections) {
      const markSeen = marksSeen(command) && !selected.readOnly && may(view.mailbox, 's')
      const left = await fetchContent(session, selected, { plan, rows, markSeen })
      if (left.unknownEncoding > 0) return no('UNKNOWN-CTE', 'A transfer encoding is not known') // RFC 3516 §4.3
      // RFC 9051 §6.4.5 NO: all others were told.
      if (left.damaged > 0) return damaged()
      if (left.unread > 0) return no('UNAVAILABLE', 'Some messages cannot be read for now')
      return fetched(left.gone)
    }
    if (plan.texts.length > 0 || plan.needsIds)
      return fetched(await fetchTexts(session, selected, { plan, rows }))
    await writeRows(session, selected, { items: plan.items, rows })
    return fetched(0)
  },
}

const marksSeen = ({ items }: Named<'FETCH'>): boolean =>
  items.some((item) => (item.kind === 'section' || item.kind === 'binary') && !item.peek)

function planOf(session: ImapSession, command: Named<'FETCH'>): FetchPlan {
  const items = [...command.items]
  const has = (kind: FetchItem['kind']): boolean => items.some((item) => item.kind === kind)
  if (command.uid && !has('uid')) items.unshift({ kind: 'uid' }) // RFC 9051 §6.4.9
  if (command.changedSince !== undefined && !has('modSeq')) items.push({ kind: 'modSeq' })
  if (has('modSeq')) session.useCondStore()
  return {
    items,
    texts: TEXT_KINDS.filter(has),
    hasSections: has('section') || has('binary') || has('binarySize'),
    needsIds: has('emailId') || has('threadId'),
  }
}
