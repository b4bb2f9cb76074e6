import { decodeMailboxName, fromPath, matchesPattern } from '#codec/imap/mailbox-name.ts'
import type { ListRequest } from '#codec/imap/list-command.ts'
import { quote } from '#codec/imap/render.ts'
import { SPECIAL_USES } from '#model/mailbox.ts'
import { LOGGED_IN } from '#server/imap/command.ts'
import type { ImapCommand } from '#server/imap/command.ts'
import { done } from '#server/imap/completion.ts'
import { shownName } from '#server/imap/mailboxes.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import type { ImapSession } from '#server/imap/session.ts'
import { statusLine } from './status.ts'

interface Name {
  readonly path: MailboxPath
  readonly row: MailboxRow | undefined
  readonly subscribed: boolean
}

/** RFC 9051 §6.3.9 with the options of RFC 5258 §3, RFC 5819 §2 and RFC 6154 §2. */
export const list: ImapCommand<'LIST'> = {
  name: 'LIST',
  states: LOGGED_IN,
  async run(session, command) {
    if (!command.extended && command.patterns[0] === '') {
      session.out.line('* LIST (\\Noselect) "/" ""') // asks for the separator
      return done('Done')
    }
    const patterns = patternsOf(session, command)
    const names = await namesOf(session.accountId, session.room.store)
    const known = new Set(names.map(({ path }) => fromPath(path)))
    for (const name of names) {
      const text = fromPath(name.path)
      if (!patterns.some((pattern) => matchesPattern(pattern, text))) continue
      const line = listLine(command, name, { names, known, shown: shownName(session, name.path) })
      if (line === undefined) continue
      session.out.line(line)
      const { status } = command.returns
      // RFC 5819 §2: no STATUS for what cannot be selected.
      if (status !== undefined && name.row !== undefined && !name.row.noSelect)
        session.out.line(await statusLine(session, name.row, status))
      if (session.out.full) await session.out.flush()
    }
    return done('Done')
  },
}

const patternsOf = (
  { nameForm }: ImapSession,
  { reference, patterns }: Pick<ListRequest, 'reference' | 'patterns'>,
): string[] => patterns.flatMap((pattern) => decodeMailboxName(reference + pattern, nameForm) ?? [])

async function namesOf(accountId: AccountId, store: MailboxStore): Promise<Name[]> {
  const { mailboxes, subscriptions } = await store.mailboxes({ accountId })
  const subscribed = new Set(subscriptions.map(fromPath))
  const names: Name[] = mailboxes.map((row) => ({
    path: row.path,
    row,
    subscribed: row.subscribed || subscribed.has(fromPath(row.path)),
  }))
  const known = new Set(mailboxes.map(({ path }) => fromPath(path)))
  for (const path of subscriptions)
    if (!known.has(fromPath(path))) names.push({ path, row: undefined, subscribed: true })
  return names
}

function listLine(
  command: ListRequest,
  name: Name,
  all: {
    readonly names: readonly Name[]
    readonly known: ReadonlySet<string>
    readonly shown: string
  },
): string | undefined {
  const { select, returns } = command
  const { row } = name
  const use = row?.use
  const special = use !== undefined && use !== 'inbox'
  const selected =
    (!select.subscribed || name.subscribed) &&
    (!select.specialUse || special) &&
    // Without SUBSCRIBED a name that is only subscribed does not exist.
    (row !== undefined || select.subscribed)
  const below = (other: Name): boolean =>
    other.path.length > name.path.length && name.path.every((part, i) => part === other.path[i])
  const children = all.names.some((other) => other.row !== undefined && below(other))
  // RFC 5258 §3.5: a parent of what is selected is told where it is not selected itself.
  const info =
    select.recursive && select.subscribed && all.names.some((o) => o.subscribed && below(o))
  if (!selected && !info) return undefined
  const attributes: string[] = []
  if (row === undefined) attributes.push('\\NonExistent')
  else if (row.noSelect) attributes.push('\\Noselect')
  attributes.push(children ? '\\HasChildren' : '\\HasNoChildren')
  if (name.subscribed && (returns.subscribed || select.subscribed)) attributes.push('\\Subscribed')
  // Special uses stand in plain LIST too: most clients never ask for them.
  if (special) attributes.push(SPECIAL_USES[use])
  const extended = info ? ` ("CHILDINFO" (${quote('SUBSCRIBED')}))` : ''
  return `* LIST (${attributes.join(' ')}) "/" ${all.shown}${extended}`
}
