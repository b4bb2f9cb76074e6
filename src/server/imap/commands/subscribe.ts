import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import { done, refusal } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { badName, findMailbox, noMailbox, pathOf } from '#server/imap/mailbox/mailboxes.ts'
import type { Found, FoundByName } from '#server/imap/mailbox/mailboxes.ts'
import { may } from '#server/imap/view/rights.ts'
import { keptName } from '#server/imap/mailbox/subscriptions.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** RFC 9051 §6.3.7. */
export const subscribe: ImapCommand<'SUBSCRIBE'> = {
  name: 'SUBSCRIBE',
  states: LOGGED_IN,
  async run(session, { mailbox }) {
    const found = await findMailbox(session, mailbox)
    if ('refused' in found) return found.refused
    if (!may(found.row, 'l')) return noMailbox()
    return isOthers(session, found) ? setOthers(session, found, true) : set(session, mailbox, true)
  },
}

/** RFC 9051 §6.3.8: a name whose mailbox is gone, or hidden, can be unsubscribed. */
export const unsubscribe: ImapCommand<'UNSUBSCRIBE'> = {
  name: 'UNSUBSCRIBE',
  states: LOGGED_IN,
  async run(session, { mailbox }) {
    const found = await findMailbox(session, mailbox)
    if (!('refused' in found) && may(found.row, 'l') && isOthers(session, found))
      return setOthers(session, found, false)
    return set(session, mailbox, false)
  },
}

const isOthers = (session: ImapSession, { accountId }: Pick<Found, 'accountId'>): boolean =>
  accountId !== session.accountId

async function set(session: ImapSession, name: string, on: boolean): Promise<Completion> {
  const path = pathOf(session, name)
  if (path === undefined) return badName()
  return told(await commitOne(session, { kind: 'subscribe', path: keptName(session, path), on }))
}

/** To a mailbox of somebody's: its change is told to all programs of whoever subscribes. */
const setOthers = async (
  session: ImapSession,
  { accountId, ownPath: path }: FoundByName,
  on: boolean,
): Promise<Completion> => told(await commitOne(session, { kind: 'subscribe', path, on }, accountId))

const told = (outcome: Awaited<ReturnType<typeof commitOne>>): Completion =>
  outcome.ok ? done('Done') : refusal(outcome.error)
