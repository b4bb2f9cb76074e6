import { fromLatin1, fromUtf8, toLatin1, toUtf8Strict } from '#base/octets.ts'
import { astring } from '#codec/imap/render.ts'
import type { AccountId } from '#model/account.ts'
import { ALL_RIGHTS, ANYONE, NO_RIGHTS, parseRights, showRights } from '#model/acl.ts'
import type { Grantee, Rights } from '#model/acl.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import { bad, done, no, refusal } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { findMailbox, lacking, shownName } from '#server/imap/mailbox/mailboxes.ts'
import type { Found } from '#server/imap/mailbox/mailboxes.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'

/** RFC 4314 §3.3: the owner first, whose rights stand in no entry. */
export const getAcl: ImapCommand<'GETACL'> = {
  name: 'GETACL',
  states: LOGGED_IN,
  async run(session, { mailbox }) {
    const found = await administered(session, mailbox)
    if ('refused' in found) return found.refused
    const { accountId, row } = found
    const ask = { accountId, by: session.accountId, mailboxId: row.id }
    const { entries = [] } = await session.room.store.acl(ask)
    const shown = [{ who: accountId, rights: ALL_RIGHTS }, ...entries].map(
      ({ who, rights }) => `${identifierOf(session, who)} ${showRights(rights)}`,
    )
    session.out.line(`* ACL ${shownName(session, row.path)} ${shown.join(' ')}`)
    return done('Done')
  },
}

/** RFC 4314 §3.1. */
export const setAcl: ImapCommand<'SETACL'> = {
  name: 'SETACL',
  states: LOGGED_IN,
  async run(session, command) {
    const rights = parseRights(command.rights)
    if (rights === undefined) return bad('No such right') // RFC 4314 §3.1: never passed over
    const found = await administered(session, command.mailbox)
    if ('refused' in found) return found.refused
    const who = granteeOf(session, command.identifier)
    if (who === undefined) return noSuchUser()
    if (who === found.accountId)
      // RFC 4314 §3.4: what is always granted cannot be taken away.
      return command.mode === 'add' || (command.mode === 'replace' && holdsAll(rights))
        ? done('The owner has all rights')
        : no('CANNOT', 'The owner keeps all rights')
    return grant(session, found, { who, rights, mode: command.mode })
  },
}

/** RFC 4314 §3.2: the entry goes, also one of an account that is no more. */
export const deleteAcl: ImapCommand<'DELETEACL'> = {
  name: 'DELETEACL',
  states: LOGGED_IN,
  async run(session, { mailbox, identifier }) {
    const found = await administered(session, mailbox)
    if ('refused' in found) return found.refused
    const who = granteeOf(session, identifier) ?? (textOf(identifier) as Grantee | undefined)
    if (who === undefined) return noSuchUser()
    if (who === found.accountId) return no('CANNOT', 'The owner keeps all rights')
    return grant(session, found, { who, rights: NO_RIGHTS, mode: 'replace' })
  },
}

/** RFC 4314 §3.4: each right by itself, the obsolete ones too. */
export const listRights: ImapCommand<'LISTRIGHTS'> = {
  name: 'LISTRIGHTS',
  states: LOGGED_IN,
  async run(session, { mailbox, identifier }) {
    const found = await administered(session, mailbox)
    if ('refused' in found) return found.refused
    const who = granteeOf(session, identifier)
    if (who === undefined) return noSuchUser()
    const all = showRights(ALL_RIGHTS)
    const rights = who === found.accountId ? all : ['""', ...all.split('')].join(' ')
    const name = shownName(session, found.row.path)
    session.out.line(`* LISTRIGHTS ${name} ${identifierOf(session, who)} ${rights}`)
    return done('Done')
  },
}

/** RFC 4314 §3.5: told to who has any of l, r, i, k, x and a. */
export const myRights: ImapCommand<'MYRIGHTS'> = {
  name: 'MYRIGHTS',
  states: LOGGED_IN,
  async run(session, { mailbox }) {
    const found = await findMailbox(session, mailbox)
    if ('refused' in found) return found.refused
    if (!/[lrikxa]/.test(found.row.rights ?? ALL_RIGHTS))
      return no('NONEXISTENT', 'No such mailbox')
    session.out.line(rightsLine(session, found.row))
    return done('Done')
  },
}

/** The untagged MYRIGHTS response (RFC 4314 §3.8). */
export const rightsLine = (session: ImapSession, row: MailboxRow): string =>
  `* MYRIGHTS ${shownName(session, row.path)} ${showRights(row.rights ?? ALL_RIGHTS)}`

const noSuchUser = (): Completion => no('CANNOT', 'No such user')

const holdsAll = (rights: Rights): boolean =>
  ALL_RIGHTS.split('').every((right) => right === 'p' || rights.includes(right))

async function administered(
  session: ImapSession,
  name: string,
): Promise<Found | { readonly refused: Completion }> {
  const found = await findMailbox(session, name)
  if ('refused' in found) return found
  if (found.row.noSelect) return { refused: no('NONEXISTENT', 'That name holds others only') }
  const refused = lacking(found.row, 'a')
  return refused === undefined ? found : { refused }
}

async function grant(
  session: ImapSession,
  { accountId, row }: Found,
  entry: {
    readonly who: Grantee
    readonly rights: Rights
    readonly mode: 'add' | 'remove' | 'replace'
  },
): Promise<Completion> {
  const change = { kind: 'grant', mailboxId: row.id, ...entry } as const
  const outcome = await commitOne(session, change, accountId)
  if (!outcome.ok) return refusal(outcome.error)
  if (outcome.value.kind === 'mailbox' && outcome.value.granted !== undefined) {
    const { mailbox, granted } = outcome.value
    const { clock, events } = session.room
    const fields = { accountId, mailbox: mailbox.path.join('/'), who: entry.who }
    events?.emit({
      atMs: clock.nowMs(),
      name: 'store.granted',
      fields: { ...fields, before: granted.before, rights: granted.after, by: session.accountId },
    })
  }
  return done('Done')
}

const textOf = (identifier: string): string | undefined => toUtf8Strict(fromLatin1(identifier))

/** Whom an identifier means: everybody, or an account by a name that it logs in with; less them behind a minus sign. */
function granteeOf(session: ImapSession, identifier: string): Grantee | undefined {
  const text = textOf(identifier)
  if (text === undefined) return undefined
  const name = text.startsWith('-') ? text.slice(1) : text
  const id = name === ANYONE ? ANYONE : idOf(session, name)
  return id === undefined || name === text ? id : `-${id}`
}

function idOf({ account, accountId, room }: ImapSession, name: string): AccountId | undefined {
  return room.names?.idOf(name) ?? (name === account?.username ? accountId : undefined)
}

/** How an entry is shown: by the account's name, by its id where it has none any more. */
function identifierOf(session: ImapSession, who: Grantee): string {
  const { account, accountId, room } = session
  const id = who.startsWith('-') ? who.slice(1) : who
  const name =
    room.names?.nameOf(id as AccountId) ?? (id === accountId ? account?.username : undefined) ?? id
  return astring(toLatin1(fromUtf8(`${id === who ? '' : '-'}${name}`)))
}
