import { ContentScanner } from '#codec/smtp/content-scanner.ts'
import type { SmtpCommand } from './command.ts'
import { answerMessage, BARE_MODES, ContentFlow, contentReply } from './content.ts'
import { badOperands, badSequence, reply } from './replies.ts'
import type { SmtpSession } from './session.ts'

const READ_BYTES_MAX = 256 * 1024

/** RFC 5321 §4.1.1.4. */
export const data: SmtpCommand = {
  verb: 'DATA',
  async run(session, rest) {
    const { transaction } = session
    if (rest !== '') return badOperands('DATA takes no operands')
    if (transaction === undefined) return badSequence('say MAIL first')
    if (transaction.chunks !== undefined) return badSequence('BDAT has begun; DATA does not mix')
    if (transaction.command.body === 'binarymime')
      return badSequence('BINARYMIME goes by BDAT only') // RFC 3030 §3
    if (transaction.recipients === 0) {
      // RFC 2033 §4.2 and RFC 5321 §3.3
      return session.options.door === 'lmtp'
        ? badSequence('no valid recipients')
        : reply(554, '5.5.1', 'no valid recipients')
    }
    const opened = await transaction.reception.data()
    if (!opened.ok) {
      await session.reset()
      return opened.error
    }
    const flow = new ContentFlow(session, opened.value)
    session.say({ code: 354, text: 'go ahead; end with a dot alone on a line' })
    if (!(await session.flush()) || !(await readData(session, flow))) {
      session.forget()
      await flow.abort()
      return undefined
    }
    session.forget()
    await answerMessage(session, transaction.recipients, flow)
    return undefined
  },
}

/** Everything up to the dot; false where the peer has gone or the time is up. */
async function readData(session: SmtpSession, flow: ContentFlow): Promise<boolean> {
  const scanner = new ContentScanner('data', BARE_MODES[session.options.door])
  for (;;) {
    const chunk = await session.octets(READ_BYTES_MAX)
    if (chunk === undefined) return false
    const scanned = scanner.feed(chunk)
    await flow.write(scanned.content)
    if (scanner.fault !== undefined && flow.failure === undefined)
      await flow.fail(contentReply(scanner.fault))
    if (scanned.done) {
      session.unread(chunk.length - scanned.consumed)
      return true
    }
  }
}
