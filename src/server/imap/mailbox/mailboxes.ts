import { decodeMailboxName, encodeMailboxName, fromPath, toPath } from '#codec/imap/mailbox-name.ts'
import { mailboxString } from '#codec/imap/render.ts'
import type { AccountId } from '#model/account.ts'
import { hasRight } from '#model/acl.ts'
import type { Right } from '#model/acl.ts'
import { FOREIGN_ROOTS, isSamePath, OTHERS_ROOT } from '#model/mailbox.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import { no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** A name as responses have it: an atom or a string. */
export const shownName = ({ nameForm }: ImapSession, path: MailboxPath): string =>
  mailboxString(encodeMailboxName(fromPath(path), nameForm), nameForm)

/** A LIST response that tells what a mailbox is called here, and what the client had called it (RFC 9051 §6.3.2, §6.3.4). */
export function listLineOf(session: ImapSession, path: MailboxPath, given: string): string {
  const name = encodeMailboxName(fromPath(path), session.nameForm)
  const isSame = name === given.replace(/^inbox(?=$|\/)/i, 'INBOX')
  const old = isSame ? '' : ` ("OLDNAME" (${mailboxString(given, session.nameForm)}))`
  return `* LIST () "/" ${shownName(session, path)}${old}`
}

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
export const foreignName = (): Completion => no('NOPERM', 'That name belongs to others')

/** Whose mailbox a name means, and what it is called there. */
export interface Owned {
  readonly accountId: AccountId
  readonly path: MailboxPath
}

/** Undefined where the name is one of others' that nobody has. */
export function ownerOf(session: ImapSession, path: MailboxPath): Owned | undefined {
  if (!FOREIGN_ROOTS.includes(path[0]!)) return { accountId: session.accountId, path }
  const { names } = session.room
  const [root, name, ...rest] = path
  if (root !== OTHERS_ROOT || name === undefined || rest.length === 0) return undefined
  const accountId = names?.idOf(name)
  if (accountId === undefined || accountId === session.accountId) return undefined
  const [first, ...below] = rest
  return { accountId, path: first!.toUpperCase() === 'INBOX' ? ['INBOX', ...below] : rest }
}

/** The name of a mailbox of others', as this session has it; undefined where its owner has none. */
export function foreignPath(
  { room }: ImapSession,
  { accountId, path }: Owned,
): MailboxPath | undefined {
  const name = room.names?.nameOf(accountId)
  return name === undefined ? undefined : [OTHERS_ROOT, name, ...path]
}

/** A mailbox by a name: its row says what the session calls it. */
export interface Found {
  readonly row: MailboxRow
  /** Whose it is. */
  readonly accountId: AccountId
}

export interface FoundByName extends Found {
  /** What its owner calls it. */
  readonly ownPath: MailboxPath
}

/**
 * The mailbox of that name, or the answer that there is none: of others' those count in which the
 * session has any right.
 */
export async function findMailbox(
  session: ImapSession,
  name: string,
): Promise<FoundByName | { readonly refused: Completion }> {
  const path = pathOf(session, name)
  if (path === undefined) return { refused: badName() }
  const own = FOREIGN_ROOTS.includes(path[0]!) ? await ownByName(session, path) : undefined
  if (own !== undefined) return own
  const owned = ownerOf(session, path)
  if (owned === undefined) return { refused: noMailbox() }
  const { accountId } = owned
  const { mailboxes } = await session.room.store.mailboxes({ accountId, by: session.accountId })
  const row = mailboxes.find((mailbox) => isSamePath(mailbox.path, owned.path))
  if (row === undefined) return { refused: noMailbox() }
  const found = { row, accountId, ownPath: row.path }
  if (accountId === session.accountId) return found
  return { ...found, row: { ...row, path: foreignPath(session, owned) ?? path } }
}

/** What a script or a program of JMAP made below a name that is others' here: still to be read, and renamed. */
async function ownByName(
  session: ImapSession,
  path: MailboxPath,
): Promise<FoundByName | undefined> {
  const { accountId, room } = session
  const { mailboxes } = await room.store.mailboxes({ accountId })
  const row = mailboxes.find((mailbox) => isSamePath(mailbox.path, path))
  return row && { row, accountId, ownPath: row.path }
}

/**
 * The answer to who lacks a right: NOPERM, or to who may not look the mailbox up the same as if there
 * were none (RFC 4314 §6). The store asks once more whatever is done.
 */
export function lacking({ rights }: MailboxRow, right: Right): Completion | undefined {
  if (rights === undefined || hasRight(rights, right)) return undefined
  return hasRight(rights, 'l')
    ? no('NOPERM', 'The owner of the mailbox does not let you do that')
    : noMailbox()
}
