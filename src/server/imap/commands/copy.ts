import { formatSet } from '#codec/imap/sequence-set.ts'
import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand, Named } from '#server/imap/session/command.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import { bad, done, no, refusal } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { badName, ownerOf, pathOf } from '#server/imap/mailbox/mailboxes.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import { expunged, readOnly } from './expunge.ts'

/** RFC 9051 §6.4.7. */
export const copy: ImapCommand<'COPY'> = {
  name: 'COPY',
  states: SELECTED,
  run: (session, command) => transfer(session, command),
}

/** RFC 6851 §3.1: COPYUID untagged, then the expunges, then the end. */
export const move: ImapCommand<'MOVE'> = {
  name: 'MOVE',
  states: SELECTED,
  run: (session, command) => transfer(session, command),
}

async function transfer(
  session: ImapSession,
  command: Named<'COPY' | 'MOVE'>,
): Promise<Completion> {
  const { selected } = session
  const moves = command.name === 'MOVE'
  if (selected === undefined || (moves && selected.readOnly)) return readOnly()
  const path = pathOf(session, command.mailbox)
  if (path === undefined) return badName()
  const owned = ownerOf(session, path)
  if (owned === undefined) return no('TRYCREATE', 'No such mailbox')
  const rows = selected.rowsOf(command.set, command.uid ? 'uid' : 'seq')
  if (rows === 'outOfRange') return bad('No such message')
  const alive = rows.filter((row) => selected.isAlive(row))
  // RFC 2180 §4.4: a copy is whole or not at all.
  if (alive.length < rows.length) return no('EXPUNGEISSUED', 'Some of the messages no longer exist')
  if (alive.length === 0) return done('Nothing to do')
  const { accountId, mailboxId } = selected.view
  const outcome = await commitOne(
    session,
    {
      kind: moves ? 'move' : 'copy',
      from: mailboxId,
      ...(accountId !== owned.accountId && { fromAccount: accountId }),
      uids: selected.uidsOf(alive),
      to: { path: owned.path, create: false },
    },
    owned.accountId,
  )
  if (!outcome.ok) return refusal(outcome.error, 'TRYCREATE')
  const result = outcome.value
  if (result.kind !== 'copy' && result.kind !== 'move') throw new Error('copy answered otherwise')
  if (result.mailboxId === selected.view.mailboxId || moves) await session.caughtUp()
  if (result.sources.length === 0) return done('Nothing was there any more')
  const code = `COPYUID ${result.uidValidity} ${formatSet(result.sources)} ${formatSet(result.targets)}`
  if (!moves) return done('Copied', code)
  session.out.line(`* OK [${code}] Moved`)
  return { ...expunged(session, selected), text: 'Moved' }
}
