import { astring, quote } from '#codec/imap/render.ts'
import { annotated, annotating, annotationsOf, keeperOf } from '#server/imap/mailbox/annotations.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand, Named } from '#server/imap/session/command.ts'
import { commitAll } from '#server/imap/session/commit.ts'
import { done, no, refusal } from '#server/imap/session/completion.ts'
import { shownName } from '#server/imap/mailbox/mailboxes.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'

/** RFC 5464 §4.2. */
export const getMetadata: ImapCommand<'GETMETADATA'> = {
  name: 'GETMETADATA',
  states: LOGGED_IN,
  async run(session, command) {
    const found = await annotated(session, command.mailbox)
    if ('refused' in found) return found.refused
    const { row } = found
    const known = await annotationsOf(session, found)
    let longest = 0
    const shown: string[] = []
    for (const [entry, value] of asked(command, known)) {
      const tooLong = value !== undefined && value.length > (command.maxSizeBytes ?? Infinity)
      if (tooLong) longest = Math.max(longest, value.length)
      else shown.push(`${astring(entry)} ${value === undefined ? 'NIL' : literalOr(value)}`)
    }
    const name = row === undefined ? '""' : shownName(session, row.path)
    if (shown.length > 0) session.out.line(`* METADATA ${name} (${shown.join(' ')})`)
    // RFC 5464 §4.2.1
    return done('Done', longest > 0 ? `METADATA LONGENTRIES ${longest}` : undefined)
  },
}

/** NUL travels in a literal8 only (RFC 5464 §5). */
const literalOr = (value: string): string =>
  value.includes('\0') ? `~{${value.length}}\r\n${value}` : quote(value)

/** What is named, and what lies below it as deep as is asked; a named one that is not there is NIL. */
function asked(
  { entries, depth }: Named<'GETMETADATA'>,
  known: ReadonlyMap<string, string>,
): Map<string, string | undefined> {
  const wanted = new Map<string, string | undefined>()
  for (const entry of entries) {
    if (depth === 0 || known.has(entry)) wanted.set(entry, known.get(entry))
    if (depth === 0) continue
    for (const [name, value] of known) {
      const below = name.startsWith(`${entry}/`) ? name.slice(entry.length + 1) : undefined
      if (below !== undefined && (depth === 'infinity' || !below.includes('/')))
        wanted.set(name, value)
    }
  }
  return wanted
}

/** RFC 5464 §4.3: all entries are set, or none. */
export const setMetadata: ImapCommand<'SETMETADATA'> = {
  name: 'SETMETADATA',
  states: LOGGED_IN,
  async run(session, command) {
    const found = await annotated(session, command.mailbox)
    if ('refused' in found) return found.refused
    const changes: MailboxChange[] = []
    for (const entry of command.entries) {
      const change = annotating(found.row, entry)
      if ('refused' in change) return change.refused
      changes.push(change)
    }
    const keepers = new Set(command.entries.map(([entry]) => keeperOf(session, found, entry)))
    const [accountId = session.accountId] = keepers
    if (keepers.size > 1)
      return no('CANNOT', 'Set private and shared entries of a mailbox of others by two commands')
    const outcome = await commitAll(session, { changes, contents: [], accountId })
    if (outcome.ok) return done('Done')
    return outcome.error.code === 'limit'
      ? no('METADATA TOOMANY', 'No more entries are kept')
      : refusal(outcome.error)
  },
}
