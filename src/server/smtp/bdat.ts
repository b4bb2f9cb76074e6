import type { Octets } from '#base/octets.ts'
import { messageOf } from '#base/outcome.ts'
import { parseBdat } from '#codec/smtp/command-line.ts'
import type { BdatCommand } from '#codec/smtp/command-line.ts'
import { ContentScanner } from '#codec/smtp/content-scanner.ts'
import type { Reply } from '#model/reply.ts'
import type { SmtpCommand } from './command.ts'
import { answerMessage, BARE_MODES, ContentFlow, contentReply } from './content.ts'
import { badOperands, badSequence, reply, troubleReply } from './replies.ts'
import type { OpenTransaction, SmtpSession } from './session.ts'

const READ_BYTES_MAX = 256 * 1024

/** What BDAT has begun: the sink, or why there is none. */
export interface Chunks {
  readonly flow?: ContentFlow
  readonly scanner: ContentScanner
  readonly refusal?: Reply
}

/** RFC 3030 §2: a chunk's octets follow at once, and are read whatever the answer will be. */
export const bdat: SmtpCommand = {
  verb: 'BDAT',
  async run(session, rest) {
    const command = parseBdat(rest)
    if (command === undefined) {
      session.end() // where the chunk ends is not known: what follows must not be read as commands
      return badOperands('BDAT size [LAST] is wanted; closing')
    }
    const { transaction } = session
    if (transaction === undefined || transaction.recipients === 0) {
      if (!(await readChunk(session, command.sizeBytes, () => undefined))) return undefined
      return transaction === undefined
        ? badSequence('say MAIL first')
        : reply(554, '5.5.1', 'no valid recipients')
    }
    transaction.chunks ??= await openChunks(session, transaction)
    return takeChunk(session, transaction, { ...transaction.chunks, ...command })
  },
}

async function openChunks(session: SmtpSession, transaction: OpenTransaction): Promise<Chunks> {
  const scanner = new ContentScanner('bdat', BARE_MODES[session.options.door])
  try {
    const opened = await transaction.reception.data()
    return opened.ok
      ? { scanner, flow: new ContentFlow(session, opened.value) }
      : { scanner, refusal: opened.error }
  } catch (cause) {
    // The chunk must be read all the same: what stands in it is no command.
    session.log.error('smtp.data', { cause: messageOf(cause) })
    return { scanner, refusal: troubleReply(cause) }
  }
}

async function takeChunk(
  session: SmtpSession,
  transaction: OpenTransaction,
  chunk: Chunks & BdatCommand,
): Promise<Reply | undefined> {
  const { flow, scanner } = chunk
  const whole = await readChunk(session, chunk.sizeBytes, async (octets) => {
    await flow?.write(scanner.feed(octets).content)
    if (scanner.fault !== undefined) await flow?.fail(contentReply(scanner.fault))
  })
  if (!whole) {
    await session.reset()
    return undefined
  }
  if (!chunk.last) {
    return (
      flow?.failure ?? chunk.refusal ?? reply(250, '2.0.0', `${chunk.sizeBytes} octets received`)
    )
  }
  await flow?.write(scanner.finish())
  if (scanner.fault !== undefined) await flow?.fail(contentReply(scanner.fault))
  if (flow === undefined) await session.reset()
  else session.forget()
  await answerMessage(session, transaction.recipients, flow ?? chunk.refusal!)
  return undefined
}

/** Hands on `sizeBytes` octets; false where the peer has gone or the time is up. */
async function readChunk(
  session: SmtpSession,
  sizeBytes: number,
  take: (octets: Octets) => Promise<void> | undefined,
): Promise<boolean> {
  let left = sizeBytes
  while (left > 0) {
    const octets = await session.octets(Math.min(left, READ_BYTES_MAX))
    if (octets === undefined) return false
    left -= octets.length
    await take(octets)
  }
  return true
}
