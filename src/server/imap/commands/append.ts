import { concatOctets, emptyOctets, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { LiteralAsk } from '#codec/imap/command-buffer.ts'
import type { AppendHead } from '#codec/imap/command.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'
import { commitOne } from '#server/imap/commit.ts'
import { bad, done, no, refusal } from '#server/imap/completion.ts'
import type { Completion } from '#server/imap/completion.ts'
import { findMailbox } from '#server/imap/mailboxes.ts'
import type { ImapSession } from '#server/imap/session.ts'

/** An unasked literal up to so many times the limit is read and dropped; a larger one ends the connection. */
const DROPPED_TIMES_MAX = 4
const LINE_END_BYTES_MAX = 8_192

/** RFC 9051 §6.3.12: any octets, streamed where they are many. */
export async function append(
  session: ImapSession,
  head: AppendHead,
  message: LiteralAsk,
): Promise<Completion> {
  let refused: Completion | undefined
  try {
    refused = await refusedAhead(session, head, message)
  } catch (thrown) {
    await dropMessage(session, message)
    throw thrown
  }
  if (refused !== undefined) {
    await dropMessage(session, message)
    return refused
  }
  if (message.waits) await session.proceed()
  const content = await receive(session, message.sizeBytes)
  if (content === undefined) return bad('The message was cut short')
  try {
    if (!(await endOfCommand(session))) {
      await abandon(session, content)
      return bad('Unexpected argument after the message')
    }
    return await commit(session, head, content)
  } catch (thrown) {
    await abandon(session, content)
    throw thrown
  }
}

/**
 * After a refusal: a client that waits for `+` never sends its message; others have sent it, and it
 * must not be taken for commands, which whoever wrote the message would choose.
 */
export async function dropMessage(session: ImapSession, message: LiteralAsk): Promise<void> {
  if (message.waits) return
  if (message.sizeBytes > session.room.limits.messageBytesMax * DROPPED_TIMES_MAX) {
    session.ending = true
    return
  }
  await drop(session, message.sizeBytes)
}

async function drop(session: ImapSession, sizeBytes: number): Promise<void> {
  for await (const _ of literal(session, sizeBytes));
  await endOfCommand(session)
}

/** Whether the command ends behind its message, as it must. */
async function endOfCommand(session: ImapSession): Promise<boolean> {
  const { transferTimeoutMs } = session.room.limits
  const rest = await session.continuation(LINE_END_BYTES_MAX, transferTimeoutMs)
  // One more message that was sent unasked, as by MULTIAPPEND: it must not be taken for commands either.
  if (rest === undefined || toLatin1(rest).endsWith('+}')) session.ending = true
  return rest?.length === 0
}

async function refusedAhead(
  session: ImapSession,
  head: AppendHead,
  message: LiteralAsk,
): Promise<Completion | undefined> {
  if (message.sizeBytes > session.room.limits.messageBytesMax)
    return no('TOOBIG', 'The message is too large') // RFC 4469 §5.2
  const found = await findMailbox(session, head.mailbox)
  if ('refused' in found)
    return found.refused.code === 'NONEXISTENT'
      ? { ...found.refused, code: 'TRYCREATE' }
      : found.refused
  if (found.row.noSelect) return no('CANNOT', 'That name holds other mailboxes only')
  return undefined
}

/** The literal's octets as they come; ends early where the client does. */
async function* literal(session: ImapSession, sizeBytes: number): AsyncGenerator<Octets> {
  for (let left = sizeBytes; left > 0;) {
    const part = await session.reader.octets(
      Math.min(left, RECORD_BYTES_MAX),
      session.room.limits.transferTimeoutMs,
    )
    if (typeof part === 'string') {
      session.ending = true
      return
    }
    left -= part.length
    yield part
  }
}

/** Undefined where the client did not send all. Throws what storage throws; the connection ends then. */
async function receive(session: ImapSession, sizeBytes: number): Promise<Content | undefined> {
  const { store } = session.room
  if (sizeBytes <= RECORD_BYTES_MAX) {
    const parts: Octets[] = []
    for await (const part of literal(session, sizeBytes)) parts.push(part)
    const octets = concatOctets(parts)
    return octets.length === sizeBytes ? { octets: [octets] } : undefined
  }
  let handle: LargeHandle
  try {
    ;({ handle } = await store.openLarge())
  } catch (thrown) {
    await drop(session, sizeBytes)
    throw thrown
  }
  let received = 0
  try {
    for await (const part of gathered(literal(session, sizeBytes))) {
      received += part.length
      await store.appendLarge({ handle, octets: part })
    }
  } catch (thrown) {
    session.ending = true // the rest of the literal cannot be told from commands
    await store.abortLarge({ handle }).catch(() => undefined)
    throw thrown
  }
  if (received === sizeBytes) return { prefix: emptyOctets, large: handle }
  await store.abortLarge({ handle })
  return undefined
}

/** Parts joined to some 256 KiB: one question to storage costs the same for few octets as for many. */
async function* gathered(parts: AsyncIterable<Octets>): AsyncGenerator<Octets> {
  let held: Octets[] = []
  let length = 0
  for await (const part of parts) {
    held.push(part)
    length += part.length
    if (length < RECORD_BYTES_MAX) continue
    yield concatOctets(held)
    held = []
    length = 0
  }
  if (length > 0) yield concatOctets(held)
}

async function abandon(session: ImapSession, content: Content): Promise<void> {
  if ('large' in content)
    await session.room.store.abortLarge({ handle: content.large }).catch(() => undefined)
}

async function commit(
  session: ImapSession,
  head: AppendHead,
  content: Content,
): Promise<Completion> {
  const found = await findMailbox(session, head.mailbox)
  if ('refused' in found) {
    await abandon(session, content)
    return { ...found.refused, code: 'TRYCREATE' }
  }
  const outcome = await commitOne(
    session,
    {
      kind: 'append',
      mailbox: { id: found.row.id },
      content: 0,
      flags: head.flags.bits,
      keywords: head.flags.keywords,
      internalDateMs: head.internalDateMs ?? session.room.clock.nowMs(),
    },
    [content],
  )
  if (!outcome.ok) {
    await abandon(session, content)
    return refusal(outcome.error, 'TRYCREATE')
  }
  const result = outcome.value
  if (result.kind !== 'append') throw new Error('append answered otherwise')
  // RFC 9051 §6.3.12: the client is told of the new message at once.
  if (session.selectedId === result.mailboxId) await session.caughtUp()
  return done('Appended', `APPENDUID ${result.uidValidity} ${result.uid}`)
}
