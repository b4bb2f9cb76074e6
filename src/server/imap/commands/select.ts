import { formatFlags } from '#codec/imap/flags.ts'
import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { Uid } from '#model/mailbox.ts'
import { KEYWORDS_PER_MAILBOX_MAX } from '#store/mailbox/mailbox-view.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand, Named } from '#server/imap/session/command.ts'
import { warnOfQuota } from '#server/imap/session/account-quota.ts'
import { bad, done, no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import type { Right } from '#model/acl.ts'
import { findMailbox, lacking, listLineOf, noMailbox } from '#server/imap/mailbox/mailboxes.ts'
import { may, mayChange } from '#server/imap/view/rights.ts'
import type { Found } from '#server/imap/mailbox/mailboxes.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import type { RecentUids } from '#server/imap/view/recent.ts'
import { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import { resync } from '#server/imap/fetch/vanished.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'

/** RFC 9051 §6.3.2 and, for the items of rev1, RFC 3501 §6.3.1. */
export const select: ImapCommand<'SELECT'> = {
  name: 'SELECT',
  states: LOGGED_IN,
  run: (session, command) => open(session, command, false),
}

/** RFC 9051 §6.3.3. */
export const examine: ImapCommand<'EXAMINE'> = {
  name: 'EXAMINE',
  states: LOGGED_IN,
  run: (session, command) => open(session, command, true),
}

async function open(
  session: ImapSession,
  command: Named<'SELECT' | 'EXAMINE'>,
  readOnly: boolean,
): Promise<Completion> {
  // RFC 7162 §3.2.5
  if (command.known !== undefined && !session.qresync) return bad('ENABLE QRESYNC comes first')
  // RFC 9051 §6.3.2: the old mailbox is left even where the new one cannot be opened.
  if (session.selectedId !== undefined) {
    session.deselect()
    session.out.line('* OK [CLOSED] Previous mailbox is closed')
  }
  const found = await findMailbox(session, command.mailbox)
  if ('refused' in found) return found.refused
  if (found.row.noSelect) return no('NONEXISTENT', 'That name holds other mailboxes only')
  const refused = lacking(found.row, 'r')
  if (refused !== undefined) return refused
  const asked = askedOf(session, found)
  if (command.condStore) session.useCondStore()
  const { views, limits } = session.room
  const { known } = command
  const isBehind =
    known?.uidValidity === found.row.uidValidity && known.modSeq < found.row.highestModSeq
  const isLarge = found.row.messages > limits.rowsAtSelectMax
  let recentMessages: number | undefined
  const opening = isLarge && !isBehind ? views.announce(asked, found.row) : undefined
  if (opening === undefined) {
    const view = await views.open(asked, found.row)
    if (view === undefined) return noMailbox()
    session.selected = new Selected(view, readOnly)
    session.selected.recent = recentOf(session, { asked, row: view.mailbox, readOnly })
  } else {
    const recent = recentOf(session, { asked, row: found.row, readOnly })
    session.select(opening, readOnly, recent)
    recentMessages = await countOf(session, asked, found.row, recent)
  }
  const mailbox = session.selected?.view.mailbox ?? found.row
  announce(session, {
    mailbox: { ...mailbox, path: found.row.path },
    given: command.mailbox,
    readOnly,
    recent: recentMessages ?? session.selected?.recentCount ?? 0,
  })
  const { selected } = session
  // RFC 7162 §3.2.5: of another UIDVALIDITY nothing is known.
  if (selected !== undefined && known?.uidValidity === selected.view.mailbox.uidValidity)
    await resync(session, selected, known)
  await warnOfQuota(session, found.accountId)
  return done('Selected', readOnly || !mayChange(mailbox) ? 'READ-ONLY' : 'READ-WRITE')
}

/** RFC 3501 §2.3.2; of rev2 nothing is recent. */
function recentOf(
  session: ImapSession,
  { asked, row, readOnly }: { asked: Asked; row: MailboxRow; readOnly: boolean },
): RecentUids {
  if (session.rev2) return []
  const { recent } = session.room
  // What is READ-ONLY takes nothing from the sessions after it.
  const come = readOnly || !mayChange(row) ? recent.look(row) : recent.claim(asked, row)
  return come === undefined ? [] : [come]
}

/** How many they are, where no row of the mailbox is in memory. */
async function countOf(
  session: ImapSession,
  asked: Asked,
  row: MailboxRow,
  [come]: RecentUids,
): Promise<number> {
  if (come === undefined) return 0
  const ask = { ...asked, mailboxId: row.id, from: come.from as Uid }
  return (await session.room.store.countFrom(ask)).messages
}

const askedOf = ({ accountId }: ImapSession, found: Found): Asked =>
  found.accountId === accountId ? { accountId } : { accountId: found.accountId, by: accountId }

/** Flags that can be changed for good, by rights (RFC 4314 §5.1). */
function permanentFlags(mailbox: MailboxRow, readOnly: boolean): string {
  if (readOnly) return formatFlags(0, [])
  const rightOf = (flag: string): Right =>
    flag === '\\Seen' ? 's' : flag === '\\Deleted' ? 't' : 'w'
  const flags = [...SYSTEM_FLAGS, ...mailbox.keywords].filter((flag) => may(mailbox, rightOf(flag)))
  const more = mailbox.keywords.length < KEYWORDS_PER_MAILBOX_MAX && may(mailbox, 'w')
  return `(${[...flags, ...(more ? ['\\*'] : [])].join(' ')})`
}

function announce(
  session: ImapSession,
  {
    mailbox,
    given,
    readOnly,
    recent,
  }: {
    readonly mailbox: MailboxRow
    readonly given: string
    readonly readOnly: boolean
    readonly recent: number
  },
): void {
  const { out, selected } = session
  const flags = [...SYSTEM_FLAGS, ...mailbox.keywords].join(' ')
  out.line(`* FLAGS (${flags})`)
  out.line(`* OK [PERMANENTFLAGS ${permanentFlags(mailbox, readOnly)}] Flags`)
  out.line(`* ${selected?.exists ?? mailbox.messages} EXISTS`)
  // RFC 9051 §6.3.2: in place of RECENT and UNSEEN, the mailbox by its name.
  if (session.rev2) out.line(listLineOf(session, mailbox.path, given))
  else out.line(`* ${recent} RECENT`)
  // RFC 3501 §7.1: where it is missing, the client asks; rev2 has it no more. No row is read for it.
  const unseen = selected && !session.rev2 && firstUnseen(selected)
  if (typeof unseen === 'number') out.line(`* OK [UNSEEN ${unseen}] First unseen`)
  out.line(`* OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs are valid`)
  out.line(`* OK [UIDNEXT ${mailbox.uidNext}] Next UID`)
  out.line(`* OK [HIGHESTMODSEQ ${mailbox.highestModSeq}] Highest`)
  out.line(`* OK [MAILBOXID (${mailbox.id})] Ok`) // RFC 8474 §4.2
}

function firstUnseen(selected: Selected): number | undefined {
  const { flags } = selected.view
  for (let seq = 1; seq <= selected.exists; seq++)
    if ((flags[selected.rowOfSeq(seq)]! & 1) === 0) return seq
  return undefined
}
