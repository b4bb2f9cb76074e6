import type { FetchItem } from '#codec/imap/fetch-item.ts'
import type { ModSeq } from '#model/mailbox.ts'
import { SELECTED } from '#server/imap/command.ts'
import type { ImapCommand, Named } from '#server/imap/command.ts'
import { bad, done, no } from '#server/imap/completion.ts'
import type { Completion } from '#server/imap/completion.ts'
import { fetchContent } from '#server/imap/fetch-content.ts'
import type { FetchPlan } from '#server/imap/fetch-content.ts'
import { rowValue } from '#server/imap/fetch-lines.ts'
import type { Selected } from '#server/imap/selected.ts'
import type { ImapSession } from '#server/imap/session.ts'

/** RFC 9051 §6.4.5, with CHANGEDSINCE of RFC 7162 §3.1.4.1. */
export const fetch: ImapCommand<'FETCH'> = {
  name: 'FETCH',
  states: SELECTED,
  async run(session, command) {
    const { selected } = session
    if (selected === undefined) return bad('No mailbox is selected')
    const named = selected.rowsOf(command.set, command.uid ? 'uid' : 'seq')
    if (named === 'outOfRange') return bad('No such message')
    const plan = planOf(session, command)
    session.announceKeywords()
    const since = command.changedSince
    const rows =
      since === undefined
        ? named
        : named.filter((row) => selected.view.modSeqs[row]! > Number(since as ModSeq))
    if (!plan.needsMeta && !plan.needsIds) return fetchRows(session, selected, { plan, rows })
    const skipped = await fetchContent(session, selected, {
      plan,
      rows,
      markSeen: marksSeen(command) && !selected.readOnly,
    })
    return skipped === 0 ? done('Fetched') : no('EXPUNGEISSUED', 'Some messages no longer exist')
  },
}

const marksSeen = ({ items }: Named<'FETCH'>): boolean =>
  items.some((item) => item.kind === 'section' && !item.peek)

function planOf(session: ImapSession, command: Named<'FETCH'>): FetchPlan {
  const items = [...command.items]
  const has = (kind: FetchItem['kind']): boolean => items.some((item) => item.kind === kind)
  if (command.uid && !has('uid')) items.unshift({ kind: 'uid' }) // RFC 9051 §6.4.9
  if (command.changedSince !== undefined && !has('modSeq')) items.push({ kind: 'modSeq' })
  if (has('modSeq')) session.condStore = true
  return {
    items,
    needsMeta: ['envelope', 'body', 'bodyStructure', 'section'].some((kind) =>
      has(kind as FetchItem['kind']),
    ),
    needsIds: has('emailId') || has('threadId'),
  }
}

/** What needs no storage: a million rows are text made from arrays. */
async function fetchRows(
  session: ImapSession,
  selected: Selected,
  { plan, rows }: { readonly plan: FetchPlan; readonly rows: readonly number[] },
): Promise<Completion> {
  for (const row of rows) {
    const values = plan.items.map((item) => rowValue(selected, row, item.kind))
    session.out.line(`* ${selected.seqOfRow(row)} FETCH (${values.join(' ')})`)
    if (!session.out.full) continue
    await session.out.flush()
    await session.stillThere() // others get their turn also while this client takes all at once
  }
  return done('Fetched')
}
