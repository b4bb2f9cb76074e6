import { parseNextAppend } from '#codec/imap/append-head.ts'
import type { AppendHead, AppendOptions } from '#codec/imap/append-head.ts'
import { announced } from '#codec/imap/command-buffer.ts'
import type { LiteralAsk } from '#codec/imap/command-buffer.ts'
import { STAR, formatSet } from '#codec/imap/sequence-set.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import { isLimited, isOver } from '#model/quota.ts'
import type { Content } from '#store/blob/blobs.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { warnOfQuota } from '#server/imap/session/account-quota.ts'
import { abandon, dropMessage, lineBehind, receive } from '#server/imap/mailbox/append-message.ts'
import { commitAll } from '#server/imap/session/commit.ts'
import { bad, done, no, refusal } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import { findMailbox, lacking } from '#server/imap/mailbox/mailboxes.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import { readOnly } from './expunge.ts'

/** Messages of one command (RFC 3502). */
const MESSAGES_MAX = 500
/** Octets of one command's small messages that are kept in memory; others become files as they come. */
const HELD_BYTES_MAX = 2 * 1024 * 1024
/** Octets of one command, as a multiple of what one message may have. */
const WHOLE_TIMES_MAX = 4

interface Received {
  readonly options: AppendOptions
  readonly content: Content
}

/** RFC 9051 §6.3.12: any octets, streamed where they are many; several messages by RFC 3502. */
export async function append(
  session: ImapSession,
  head: AppendHead,
  message: LiteralAsk,
): Promise<Completion> {
  const received: Received[] = []
  const giveUp = (): Promise<void> =>
    abandon(
      session,
      received.map(({ content }) => content),
    )
  try {
    const refused = await receiveAll(session, { head, message, received })
    const completion = refused ?? (await commit(session, head, received))
    // RFC 3502 §6.3.11: all of them or none.
    if (completion.status !== 'OK') await giveUp()
    return completion
  } catch (thrown) {
    await giveUp()
    throw thrown
  }
}

/** Takes messages off the wire until the command ends; tells why it is refused, if it is. */
async function receiveAll(
  session: ImapSession,
  ask: { readonly head: AppendHead; readonly message: LiteralAsk; readonly received: Received[] },
): Promise<Completion | undefined> {
  const { head, received } = ask
  let options: AppendOptions = head
  let { message } = ask
  let heldBytes = 0
  for (let wholeBytes = message.sizeBytes; ; wholeBytes += message.sizeBytes) {
    let refused: Completion | undefined
    try {
      refused = await refusedAhead(session, head, { message, wholeBytes, received })
    } catch (thrown) {
      await dropMessage(session, message)
      throw thrown
    }
    if (refused !== undefined) {
      await dropMessage(session, message)
      return refused
    }
    if (message.waits) await session.proceed()
    const content = await receive(session, {
      sizeBytes: message.sizeBytes,
      roomBytes: HELD_BYTES_MAX - heldBytes,
    })
    if (content === undefined) return bad('The message was cut short')
    if (!('large' in content)) heldBytes += message.sizeBytes
    received.push({ options, content })
    const line = await lineBehind(session)
    const rest = options.utf8 && line?.startsWith(')') ? line.slice(1) : line
    if (rest === '' && (!options.utf8 || line === ')')) return undefined
    const next = rest === undefined || (options.utf8 && rest === line) ? undefined : nextOf(rest)
    if (next === undefined) {
      // What was sent unasked must not be taken for commands.
      const unasked = announced(line ?? '')
      if (unasked !== undefined) await dropMessage(session, unasked)
      return bad('Unexpected argument after the message')
    }
    if (head.replaces !== undefined) {
      await dropMessage(session, next.message)
      return bad('REPLACE takes one message') // RFC 8508 §3.1
    }
    ;({ options, message } = next)
  }
}

function nextOf(line: string): { options: AppendOptions; message: LiteralAsk } | undefined {
  const options = parseNextAppend(line)
  const message = announced(line)
  return options === undefined || message === undefined ? undefined : { options, message }
}

async function refusedAhead(
  session: ImapSession,
  head: AppendHead,
  ask: {
    readonly message: LiteralAsk
    readonly wholeBytes: number
    readonly received: readonly Received[]
  },
): Promise<Completion | undefined> {
  const { messageBytesMax } = session.room.limits
  // RFC 3502 §6.3.11: so a client calls off those that it has sent. A lone one is a message like others.
  if (ask.message.sizeBytes === 0 && ask.received.length > 0)
    return no('CANNOT', 'Called off by a message of no octets')
  if (ask.message.sizeBytes > messageBytesMax) return no('TOOBIG', 'The message is too large') // RFC 4469 §5.2
  if (ask.wholeBytes > messageBytesMax * WHOLE_TIMES_MAX || ask.received.length >= MESSAGES_MAX)
    return no('TOOBIG', 'Too much for one command')
  if (ask.received.length > 0) return undefined
  if (head.replaces !== undefined) {
    const replaced = await replacedBy(session, head.replaces)
    if ('refused' in replaced) return replaced.refused
  }
  const found = await findMailbox(session, head.mailbox)
  if ('refused' in found)
    return found.refused.code === 'NONEXISTENT'
      ? { ...found.refused, code: 'TRYCREATE' }
      : found.refused
  if (found.row.noSelect) return no('CANNOT', 'That name holds other mailboxes only')
  const refused = lacking(found.row, 'i')
  if (refused !== undefined) return refused
  // RFC 9208 §4.3.1, before the message is sent. What replaces another one may need no more room.
  if (
    head.replaces === undefined &&
    !(await hasRoom(session, found.accountId, ask.message.sizeBytes))
  )
    return no('OVERQUOTA', 'The mailbox is full')
  return undefined
}

/** It is the owner's room that a message takes. */
async function hasRoom(
  { room }: ImapSession,
  accountId: AccountId,
  bytes: number,
): Promise<boolean> {
  const quota = room.quotaOf?.(accountId)
  if (quota === undefined || !isLimited(quota)) return true
  return !isOver(await room.store.usage({ accountId }), { bytes, messages: 1 }, quota)
}

/** The message that REPLACE is to take away (RFC 8508 §3). */
async function replacedBy(
  session: ImapSession,
  { uid, number }: NonNullable<AppendHead['replaces']>,
): Promise<
  | { readonly accountId: AccountId; readonly mailboxId: MailboxId; readonly uid: Uid }
  | { readonly refused: Completion }
> {
  if (session.selectedId === undefined) return { refused: bad('No mailbox is selected') }
  await session.needRows()
  const { selected } = session
  if (selected === undefined || selected.readOnly) return { refused: readOnly() }
  if (uid && number === STAR && selected.exists === 0) return { refused: bad('No such message') }
  const rows = selected.rowsOf([[number, number]], uid ? 'uid' : 'seq')
  if (rows === 'outOfRange') return { refused: bad('No such message') }
  const [row] = rows
  if (row === undefined || !selected.isAlive(row))
    return { refused: no('EXPUNGEISSUED', 'The message no longer exists') }
  const { accountId, mailboxId } = selected.view
  return { accountId, mailboxId, uid: selected.uidsOf([row])[0]! }
}

async function commit(
  session: ImapSession,
  head: AppendHead,
  received: readonly Received[],
): Promise<Completion> {
  const found = await findMailbox(session, head.mailbox)
  if ('refused' in found) return { ...found.refused, code: 'TRYCREATE' }
  const changes: MailboxChange[] = received.map(({ options }, content) => ({
    kind: 'append',
    mailbox: { id: found.row.id },
    content,
    flags: options.flags.bits,
    keywords: options.flags.keywords,
    internalDateMs: options.internalDateMs ?? session.room.clock.nowMs(),
  }))
  if (head.replaces !== undefined) {
    const replaced = await replacedBy(session, head.replaces)
    if ('refused' in replaced) return replaced.refused
    if (replaced.accountId !== found.accountId)
      return no('CANNOT', 'The message would go from one owner to another')
    // RFC 8508 §3: both happen, or neither.
    changes.push({
      kind: 'expunge',
      mailboxId: replaced.mailboxId,
      uids: [replaced.uid],
      deletedOnly: false,
    })
  }
  const outcome = await commitAll(session, {
    changes,
    contents: received.map(({ content }) => content),
    accountId: found.accountId,
  })
  if (!outcome.ok) return refusal(outcome.error, 'TRYCREATE')
  const uids: number[] = []
  for (const result of outcome.value) if (result.kind === 'append') uids.push(result.uid)
  await warnOfQuota(session, found.accountId)
  const code = `APPENDUID ${found.row.uidValidity} ${formatSet(uids)}`
  // RFC 9051 §6.3.12: the client is told of the new message at once.
  if (session.selectedId === found.row.id || head.replaces !== undefined) await session.caughtUp()
  if (head.replaces === undefined) return done('Appended', code)
  session.out.line(`* OK [${code}] Replacement is there`) // RFC 8508 §3.4
  return done('Replaced')
}
