import { OTHERS_ROOT } from '#model/mailbox.ts'
import { fromPath } from '#codec/imap/mailbox-name.ts'
import { hasRight } from '#model/acl.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import type { Found } from './mailboxes.ts'
import { foreignPath } from './mailboxes.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import { subscribedNames } from './subscriptions.ts'

/** A name that LIST may tell. */
export interface Name {
  readonly path: MailboxPath
  /** Absent: there is no such mailbox, or none that the session may look up. */
  readonly found: Found | undefined
  readonly subscribed: boolean
}

/** The session's own mailboxes, those of others that it may look up (RFC 4314 §4, LIST), and what is subscribed. */
export async function namesOf(
  session: ImapSession,
  patterns: readonly string[],
): Promise<readonly Name[]> {
  const { accountId, room } = session
  const [own, others] = await Promise.all([
    room.store.mailboxes({ accountId }),
    patterns.some(reachesOthers) ? othersFor(session) : [],
  ])
  const subscriptions = subscribedNames(session, own.subscriptions)
  const subscribed = new Set(subscriptions.map(fromPath))
  const names: Name[] = [...own.mailboxes.map((row) => ({ row, accountId })), ...others].map(
    (found) => ({
      path: found.row.path,
      found,
      subscribed: found.row.subscribed || subscribed.has(fromPath(found.row.path)),
    }),
  )
  const known = new Set(names.map(({ path }) => fromPath(path)))
  const add = (path: MailboxPath, isSubscribed: boolean): void => {
    if (known.has(fromPath(path))) return
    known.add(fromPath(path))
    names.push({ path, found: undefined, subscribed: isSubscribed })
  }
  for (const path of subscriptions) add(path, true)
  // What lies above what may be looked up, be it a root, a person or a mailbox without l.
  for (const { row } of others)
    for (let depth = 1; depth < row.path.length; depth++) add(row.path.slice(0, depth), false)
  return names
}

async function othersFor(session: ImapSession): Promise<Found[]> {
  const { room } = session
  if (room.names === undefined) return []
  const { owners } = await room.store.sharedWith({ by: session.accountId })
  return owners.flatMap(({ accountId, mailboxes }) =>
    mailboxes.flatMap((row) => {
      const path = foreignPath(session, { accountId, path: row.path })
      return path === undefined || row.rights === undefined || !hasRight(row.rights, 'l')
        ? []
        : [{ row: { ...row, path }, accountId }]
    }),
  )
}

/** Whether a name of others' may match: what stands before the first wildcard leads there. */
function reachesOthers(pattern: string): boolean {
  const head = pattern.split(/[*%]/, 1)[0]!
  return OTHERS_ROOT.startsWith(head) || head.startsWith(OTHERS_ROOT)
}
