import { decodeMailboxName, encodeMailboxName, fromPath, toPath } from '#codec/imap/mailbox-name.ts'
import { mailboxString } from '#codec/imap/render.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import { no } from './completion.ts'
import type { Completion } from './completion.ts'
import type { ImapSession } from './session.ts'

/** Other people's and shared mailboxes lie below these names; nobody's own do (RFC 2342 §5). */
export const FOREIGN_ROOTS: readonly string[] = ['Other Users', 'Shared']

/** A name as responses have it: an atom or a string. */
export const shownName = ({ nameForm }: ImapSession, path: MailboxPath): string =>
  mailboxString(encodeMailboxName(fromPath(path), nameForm), nameForm)

export const samePath = (a: MailboxPath, b: MailboxPath): boolean =>
  a.length === b.length && a.every((component, index) => component === b[index])

/** A name from the wire; undefined where it is none. */
export function pathOf({ nameForm }: ImapSession, name: string): MailboxPath | undefined {
  const text = decodeMailboxName(name, nameForm)
  return text === undefined ? undefined : toPath(text)
}

/** A name that is to be made: one trailing separator is allowed (RFC 9051 §6.3.4). */
export const newPathOf = (session: ImapSession, name: string): MailboxPath | undefined =>
  pathOf(session, name.replace(/\/$/, ''))

export const badName = (): Completion => no('CANNOT', 'Not a mailbox name')
export const noMailbox = (): Completion => no('NONEXISTENT', 'No such mailbox')

/** The mailbox of that name, or the answer that there is none. */
export async function findMailbox(
  session: ImapSession,
  name: string,
): Promise<{ readonly row: MailboxRow } | { readonly refused: Completion }> {
  const path = pathOf(session, name)
  if (path === undefined) return { refused: badName() }
  const { mailboxes } = await session.room.store.mailboxes({ accountId: session.accountId })
  const row = mailboxes.find((mailbox) => samePath(mailbox.path, path))
  return row === undefined ? { refused: noMailbox() } : { row }
}
