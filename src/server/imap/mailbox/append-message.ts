import { concatOctets, emptyOctets, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { announced } from '#codec/imap/command-buffer.ts'
import type { LiteralAsk } from '#codec/imap/command-buffer.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** An unasked literal up to so many times the limit is read and dropped; a larger one ends the connection. */
const DROPPED_TIMES_MAX = 4
const LINE_BYTES_MAX = 8_192
/** What a client sends within the time for a transfer. */
const STRETCH_BYTES = 64 * 1024

/**
 * After a refusal: a client that waits for `+` never sends its message; others have sent it, and it
 * must not be taken for commands, which whoever wrote the message would choose.
 */
export async function dropMessage(session: ImapSession, message: LiteralAsk): Promise<void> {
  let leftBytes = session.room.limits.messageBytesMax * DROPPED_TIMES_MAX
  // Others of the same command that were sent unasked as well go the same way.
  for (let next: LiteralAsk | undefined = message; next !== undefined && !next.waits;) {
    leftBytes -= Math.max(1, next.sizeBytes)
    if (leftBytes < 0) {
      session.ending = true
      return
    }
    for await (const _ of literal(session, next.sizeBytes));
    const line = await lineBehind(session)
    next = line === undefined ? undefined : announced(line)
  }
}

/** The line behind a message, one character an octet; undefined where the connection ends. */
export async function lineBehind(session: ImapSession): Promise<string | undefined> {
  const { transferTimeoutMs } = session.room.limits
  const rest = await session.continuation(LINE_BYTES_MAX, transferTimeoutMs)
  if (rest === undefined) session.ending = true
  return rest === undefined ? undefined : toLatin1(rest)
}

/**
 * The literal's octets as they come; ends early where the client does. Each 64 KiB have their time: who
 * sends an octet a minute would hold an open file for years.
 */
async function* literal(session: ImapSession, sizeBytes: number): AsyncGenerator<Octets> {
  const { clock, limits } = session.room
  let stretch = 0
  let deadlineMs = clock.monotonicMs() + limits.transferTimeoutMs
  for (let left = sizeBytes; left > 0;) {
    const waitMs = deadlineMs - clock.monotonicMs()
    const part = await session.reader.octets(Math.min(left, RECORD_BYTES_MAX), waitMs)
    if (typeof part === 'string') {
      session.ending = true
      return
    }
    left -= part.length
    stretch += part.length
    yield part
    if (stretch < STRETCH_BYTES) continue
    stretch = 0
    deadlineMs = clock.monotonicMs() + limits.transferTimeoutMs
  }
}

/**
 * A message from the wire, in memory where it is small and there is room for it. Undefined where the
 * client did not send all. Throws what storage throws; the connection ends then.
 */
export async function receive(
  session: ImapSession,
  { sizeBytes, roomBytes }: { readonly sizeBytes: number; readonly roomBytes: number },
): Promise<Content | undefined> {
  const { store } = session.room
  if (sizeBytes <= Math.min(RECORD_BYTES_MAX, roomBytes)) {
    const parts: Octets[] = []
    for await (const part of literal(session, sizeBytes)) parts.push(part)
    const octets = concatOctets(parts)
    return octets.length === sizeBytes ? { octets: [octets] } : undefined
  }
  let handle: LargeHandle
  try {
    ;({ handle } = await store.openLarge())
  } catch (thrown) {
    await dropMessage(session, { sizeBytes, waits: false })
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

export async function abandon(session: ImapSession, contents: readonly Content[]): Promise<void> {
  for (const content of contents)
    if ('large' in content)
      await session.room.store.abortLarge({ handle: content.large }).catch(() => undefined)
}
