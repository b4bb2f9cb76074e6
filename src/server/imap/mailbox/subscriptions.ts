import { FOREIGN_ROOTS, OTHERS_ROOT, othersName } from '#model/mailbox.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import { foreignPath, ownerOf } from './mailboxes.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** How a subscription is kept. */
export function keptName(session: ImapSession, path: MailboxPath): MailboxPath {
  const owned = ownerOf(session, path)
  return owned === undefined || !FOREIGN_ROOTS.includes(path[0]!)
    ? path
    : othersName(owned.accountId, owned.path)
}

/** Subscribed names as the session shows them; those of people who are no more are left out. */
export const subscribedNames = (
  session: ImapSession,
  kept: readonly MailboxPath[],
): MailboxPath[] =>
  kept.flatMap((path) => {
    const [root, id, ...rest] = path
    if (root !== OTHERS_ROOT || rest.length === 0) return [path]
    const shown = foreignPath(session, { accountId: id as AccountId, path: rest })
    return shown === undefined ? [] : [shown]
  })
