import { formatSet } from '#codec/imap/sequence-set.ts'
import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { ModSeq, Uid } from '#model/mailbox.ts'
import { MESSAGES_AT_ONCE } from '#store/mailbox/commit.ts'
import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand, Named } from '#server/imap/session/command.ts'
import { commitOne } from '#server/imap/session/commit.ts'
import { bad, done, no, refusal } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { flagLine } from '#server/imap/view/fetch-lines.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import { readOnly } from './expunge.ts'

/** RFC 9051 §6.4.6, conditional by RFC 7162 §3.1.3. */
export const store: ImapCommand<'STORE'> = {
  name: 'STORE',
  states: SELECTED,
  async run(session, command) {
    const { selected } = session
    if (selected === undefined || selected.readOnly) return readOnly()
    const rows = selected.rowsOf(command.set, command.uid ? 'uid' : 'seq')
    if (rows === 'outOfRange') return bad('No such message')
    if (command.unchangedSince !== undefined) session.useCondStore()
    const alive = rows.filter((row) => selected.isAlive(row))
    const failed = new Set<number>()
    for (let at = 0; at < alive.length; at += MESSAGES_AT_ONCE) {
      const some = alive.slice(at, at + MESSAGES_AT_ONCE)
      const refused = await setFlags(session, command, { selected, rows: some, failed })
      if (refused !== undefined) return refused
    }
    return completed(command, { selected, rows, alive, failed })
  },
}

async function setFlags(
  session: ImapSession,
  command: Named<'STORE'>,
  target: {
    readonly selected: Selected
    readonly rows: readonly number[]
    readonly failed: Set<number>
  },
): Promise<Completion | undefined> {
  const { selected, rows, failed } = target
  const before = rows.map((row) => selected.view.flags[row]!)
  const { accountId, mailboxId } = selected.view
  const outcome = await commitOne(
    session,
    {
      kind: 'setFlags',
      mailboxId,
      uids: selected.uidsOf(rows),
      mode: command.mode,
      flags: command.flags.bits,
      keywords: command.flags.keywords,
      ...(command.unchangedSince === undefined
        ? {}
        : { unchangedSince: command.unchangedSince as ModSeq }),
    },
    accountId,
  )
  if (!outcome.ok) return refusal(outcome.error)
  if (outcome.value.kind !== 'setFlags') throw new Error('setFlags answered otherwise')
  for (const uid of outcome.value.failed) failed.add(uid)
  if (outcome.value.updated.length > 0) selected.own(outcome.value.modSeq)
  // What could not be looked at is told later, as a change of somebody else's is.
  if (!(await session.caughtUp())) return undefined
  session.announceKeywords()
  const become = flagsAfter(command, selected)
  for (const [index, row] of rows.entries()) {
    const failedHere = failed.size > 0 && failed.has(selected.view.uids[row]!)
    if (failedHere || !selected.isAlive(row)) continue
    // RFC 9051 §6.4.6: what others have changed as well is told in spite of .SILENT.
    const isSilent = command.silent && selected.view.flags[row] === become(before[index]!)
    // RFC 7162 §3.1.3: the new MODSEQ is told even where .SILENT was asked.
    if (isSilent && !session.condStore) continue
    session.out.line(
      isSilent
        ? modSeqLine(selected, row)
        : flagLine(selected, row, session.condStore, command.uid || session.rev2),
    )
    if (session.out.full) await session.out.flush()
  }
  return undefined
}

/** What the command alone makes of a row's flags. */
function flagsAfter(
  { flags, mode }: Named<'STORE'>,
  { view }: Selected,
): (before: number) => number {
  const named = new Set(flags.keywords.map((keyword) => keyword.toUpperCase()))
  let { bits } = flags
  for (const [slot, keyword] of view.mailbox.keywords.entries())
    if (named.has(keyword.toUpperCase())) bits |= 1 << (SYSTEM_FLAGS.length + slot)
  const become = {
    add: (before: number) => before | bits,
    remove: (before: number) => before & ~bits,
    replace: () => bits,
  }[mode]
  return (before) => become(before) >>> 0
}

function modSeqLine(selected: Selected, row: number): string {
  const { uids, modSeqs } = selected.view
  return `* ${selected.seqOfRow(row)} FETCH (UID ${uids[row]!} MODSEQ (${modSeqs[row]!}))`
}

function completed(
  command: Named<'STORE'>,
  result: {
    readonly selected: Selected
    readonly rows: readonly number[]
    readonly alive: readonly number[]
    readonly failed: ReadonlySet<number>
  },
): Completion {
  const { selected, rows, alive, failed } = result
  if (failed.size > 0) {
    const numbers = alive
      .filter((row) => failed.has(selected.view.uids[row]!))
      .map((row) => (command.uid ? (selected.view.uids[row]! as Uid) : selected.seqOfRow(row)))
    return done('Some messages had changed', `MODIFIED ${formatSet(numbers)}`)
  }
  // RFC 2180 §4.2: what others have expunged cannot be stored to.
  if (alive.length < rows.length && !command.silent)
    return no('EXPUNGEISSUED', 'Some of the messages no longer exist')
  return done('Stored')
}
