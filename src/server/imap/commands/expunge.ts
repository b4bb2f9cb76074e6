import type { Uid } from '#model/mailbox.ts'
import { MESSAGES_AT_ONCE } from '#store/mailbox/commit.ts'
import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import { done, no, refusal } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { lacking } from '#server/imap/mailbox/mailboxes.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

export const readOnly = (): Completion => no('READ-ONLY', 'The mailbox was opened for reading only')

/** RFC 9051 §6.4.3. */
export const expunge: ImapCommand<'EXPUNGE'> = {
  name: 'EXPUNGE',
  states: SELECTED,
  async run(session) {
    const { selected } = session
    if (selected === undefined || selected.readOnly) return readOnly()
    return (await expungeSelected(session, selected, 'all')) ?? expunged(session, selected)
  },
}

/** RFC 4315 §2.1. */
export const uidExpunge: ImapCommand<'UID EXPUNGE'> = {
  name: 'UID EXPUNGE',
  states: SELECTED,
  async run(session, command) {
    const { selected } = session
    if (selected === undefined || selected.readOnly) return readOnly()
    const rows = selected.rowsOf(command.set, 'uid')
    const uids = rows === 'outOfRange' ? [] : selected.uidsOf(rows)
    return (await expungeSelected(session, selected, uids)) ?? expunged(session, selected)
  },
}

/** RFC 7162 §3.2.7: who keeps MODSEQs is told the mailbox's new one, after all that led to it. */
export function expunged({ condStore }: ImapSession, { view }: Selected): Completion {
  const code = condStore ? `HIGHESTMODSEQ ${view.mailbox.highestModSeq}` : undefined
  return done('Expunged', code)
}

/** Expunges what is marked \Deleted; undefined, or the answer where that was refused. */
export async function expungeSelected(
  session: ImapSession,
  selected: Selected,
  uids: readonly Uid[] | 'all',
): Promise<Completion | undefined> {
  const refused = lacking(selected.view.mailbox, 'e')
  if (refused !== undefined) return refused
  const { accountId, mailboxId } = selected.view
  for (const some of steps(uids === 'all' ? selected.deletedUids() : uids, uids === 'all')) {
    const change = { kind: 'expunge', mailboxId, uids: some, deletedOnly: true } as const
    const outcome = await commitOne(session, change, accountId)
    if (!outcome.ok) return refusal(outcome.error)
  }
  await session.caughtUp()
  return undefined
}

/** Others get their turn between them; the last one of all takes what the session has not seen, too. */
function* steps(uids: readonly Uid[], isAll: boolean): Iterable<readonly Uid[] | 'all'> {
  const last = isAll ? Math.floor(uids.length / MESSAGES_AT_ONCE) * MESSAGES_AT_ONCE : uids.length
  for (let at = 0; at < last; at += MESSAGES_AT_ONCE) yield uids.slice(at, at + MESSAGES_AT_ONCE)
  if (isAll) yield 'all'
}
