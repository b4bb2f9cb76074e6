import { decodeMailboxName, fromPath, matchesPattern } from '#codec/imap/mailbox-name.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'
import { isSamePath } from '#model/mailbox.ts'
import { shownName } from '#server/imap/mailbox/mailboxes.ts'
import { subscribedNames } from '#server/imap/mailbox/subscriptions.ts'

/** RFC 3501 §6.3.9. */
export const lsub: ImapCommand<'LSUB'> = {
  name: 'LSUB',
  states: LOGGED_IN,
  async run(session, { reference, pattern }) {
    const wanted = decodeMailboxName(reference + pattern, session.nameForm)
    if (wanted === undefined) return done('Done')
    const { subscriptions, mailboxes } = await session.room.store.mailboxes({
      accountId: session.accountId,
    })
    const subscribed = [
      ...mailboxes.filter((row) => row.subscribed).map((row) => row.path),
      ...subscribedNames(session, subscriptions),
    ]
    const told = new Set<string>()
    const tell = (path: MailboxPath, noSelect: boolean): void => {
      const text = fromPath(path)
      if (told.has(text) || !matchesPattern(wanted, text)) return
      told.add(text)
      session.out.line(`* LSUB (${noSelect ? '\\Noselect' : ''}) "/" ${shownName(session, path)}`)
    }
    for (const path of subscribed)
      tell(path, mailboxes.find((row) => isSamePath(row.path, path))?.noSelect ?? false)
    // RFC 3501 §6.3.9: `%` tells a parent of a subscribed name that is not subscribed itself.
    if (wanted.endsWith('%'))
      for (const path of subscribed)
        for (let depth = 1; depth < path.length; depth++) tell(path.slice(0, depth), true)
    return done('Done')
  },
}
