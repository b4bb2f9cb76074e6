import { decodeMailboxName, fromPath, matchesPattern } from '#codec/imap/mailbox-name.ts'
import type { ListRequest } from '#codec/imap/list-command.ts'
import { quote } from '#codec/imap/render.ts'
import { SPECIAL_USES } from '#model/mailbox.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'
import { shownName } from '#server/imap/mailbox/mailboxes.ts'
import { may } from '#server/imap/view/rights.ts'
import { namesOf } from '#server/imap/mailbox/names.ts'
import type { Name } from '#server/imap/mailbox/names.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import { rightsLine } from './acl.ts'
import { statusLine } from './status.ts'

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
    const names = await namesOf(session, patterns)
    for (const name of names) {
      const text = fromPath(name.path)
      const matching = patterns.filter((pattern) => matchesPattern(pattern, text))
      if (matching.length === 0) continue
      // RFC 3501 §6.3.8: a level that holds others is told to who asks for levels, though it is no mailbox.
      const isLevel = matching.some((pattern) => pattern.endsWith('%'))
      const shown = shownName(session, name.path)
      const line = listLine(command, name, { names, patterns, isLevel, shown })
      if (line === undefined) continue
      session.out.line(line)
      const { found } = name
      if (found === undefined || found.row.noSelect) continue
      const { status, myRights } = command.returns
      if (myRights) session.out.line(rightsLine(session, found.row)) // RFC 8440 §3
      // RFC 5819 §2: no STATUS for what cannot be selected.
      if (status !== undefined && may(found.row, 'r'))
        session.out.line(await statusLine(session, found, status))
      if (session.out.full) await session.out.flush()
    }
    return done('Done')
  },
}

const patternsOf = (
  { nameForm }: ImapSession,
  { reference, patterns }: Pick<ListRequest, 'reference' | 'patterns'>,
): string[] => patterns.flatMap((pattern) => decodeMailboxName(reference + pattern, nameForm) ?? [])

function listLine(
  command: ListRequest,
  name: Name,
  all: {
    readonly names: readonly Name[]
    readonly patterns: readonly string[]
    readonly isLevel: boolean
    readonly shown: string
  },
): string | undefined {
  const { select, returns } = command
  const row = name.found?.row
  const use = row?.use
  const special = use !== undefined && use !== 'inbox'
  const selected =
    (!select.subscribed || name.subscribed) &&
    (!select.specialUse || special) &&
    // Without SUBSCRIBED a name that is only subscribed does not exist.
    (row !== undefined ||
      select.subscribed ||
      (all.isLevel && !select.specialUse && hasBelow(name, all)))
  const children = hasBelow(name, all)
  const below =
    select.recursive && select.subscribed
      ? all.names.filter((other) => other.subscribed && isBelow(name, other))
      : []
  // RFC 5258 §3.5 and §5 example 9: a parent that is not selected is told for the sake of what
  // below it is, and the patterns leave out; what they have is told itself.
  if (!selected && below.every(({ path }) => matchesAny(all.patterns, path))) return undefined
  const attributes: string[] = []
  // RFC 5258 §3: who used no extension knows \Noselect only.
  if (row === undefined) attributes.push(command.extended ? '\\NonExistent' : '\\Noselect')
  else if (row.noSelect) attributes.push('\\Noselect')
  attributes.push(children ? '\\HasChildren' : '\\HasNoChildren')
  if (name.subscribed && (returns.subscribed || select.subscribed)) attributes.push('\\Subscribed')
  // Special uses stand in plain LIST too: most clients never ask for them.
  if (special) attributes.push(SPECIAL_USES[use])
  const extended = below.length > 0 ? ` ("CHILDINFO" (${quote('SUBSCRIBED')}))` : ''
  return `* LIST (${attributes.join(' ')}) "/" ${all.shown}${extended}`
}

const matchesAny = (patterns: readonly string[], path: MailboxPath): boolean =>
  patterns.some((pattern) => matchesPattern(pattern, fromPath(path)))

const isBelow = (name: Name, other: Name): boolean =>
  other.path.length > name.path.length && name.path.every((part, i) => part === other.path[i])

/** Only what may be looked up counts: RFC 4314 §4 lets children without l not show. */
const hasBelow = (name: Name, { names }: { readonly names: readonly Name[] }): boolean =>
  names.some((other) => other.found !== undefined && isBelow(name, other))
