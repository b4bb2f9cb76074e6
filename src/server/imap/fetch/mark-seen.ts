import { SEEN } from '#model/mailbox.ts'
import { messageOf } from '#base/outcome.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** Sets \Seen on what a batch reads; the rows whose flags that changed. */
export async function markSeen(
  session: ImapSession,
  selected: Selected,
  rows: readonly number[],
): Promise<ReadonlySet<number>> {
  const { view } = selected
  const unseen = rows.filter((row) => selected.isAlive(row) && (view.flags[row]! & SEEN) === 0)
  if (unseen.length === 0) return new Set()
  try {
    const change = {
      kind: 'setFlags',
      mailboxId: view.mailboxId,
      uids: selected.uidsOf(unseen),
      mode: 'add',
      flags: SEEN,
      keywords: [],
    } as const
    const outcome = await commitOne(session, change, view.accountId)
    if (!outcome.ok || outcome.value.kind !== 'setFlags') return new Set()
    if (outcome.value.updated.length > 0) selected.own(outcome.value.modSeq)
    return (await session.caughtUp()) ? new Set(unseen) : new Set()
  } catch (thrown) {
    // Reading goes on while nothing can be written (DESIGN section 4: a full disk still lets people read).
    session.room.log.warn('imap.seenNotSet', { ip: session.ip, error: messageOf(thrown) })
    return new Set()
  }
}
