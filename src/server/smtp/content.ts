import { messageOf } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { Turns } from '#base/turns.ts'
import type { BareMode, ContentFault } from '#codec/smtp/content-scanner.ts'
import type { MessageSink } from '#model/reception.ts'
import type { Reply } from '#model/reply.ts'
import type { MailDoor } from './options.ts'
import { reply, tooLarge, troubleReply } from './replies.ts'
import type { SmtpSession } from './session.ts'

/** The MX refuses what our own people's programs get repaired; between nodes octets are octets. */
export const BARE_MODES: Readonly<Record<MailDoor, BareMode>> = {
  mx: 'refuse',
  relay: 'repair',
  submission: 'repair',
  lmtp: 'keep',
}

const FAULT_TEXTS: Readonly<Record<ContentFault, string>> = {
  bareCr: 'bare CR in the message: a line ends with CRLF',
  bareLf: 'bare LF in the message: a line ends with CRLF',
  nul: 'NUL in the message',
}

export const contentReply = (fault: ContentFault): Reply => reply(550, '5.6.0', FAULT_TEXTS[fault])

/** Content on its way into the sink. After the first failure the rest is dropped, and the reply kept. */
export class ContentFlow {
  readonly #session: SmtpSession
  #sink: MessageSink | undefined
  #finished: MessageSink | undefined
  #sizeBytes = 0
  #failure: Reply | undefined

  constructor(session: SmtpSession, sink: MessageSink) {
    this.#session = session
    this.#sink = sink
  }

  get failure(): Reply | undefined {
    return this.#failure
  }

  async write(octets: Octets): Promise<void> {
    if (octets.length === 0 || this.#sink === undefined) return
    const { limits } = this.#session
    this.#sizeBytes += octets.length
    if (this.#sizeBytes > limits.messageBytesMax) return this.fail(tooLarge(limits.messageBytesMax))
    try {
      await this.#sink.write(octets)
    } catch (cause) {
      this.#told('smtp.write', cause)
      await this.fail(troubleReply(cause))
    }
  }

  async fail(failure: Reply): Promise<void> {
    this.#failure ??= failure
    await this.abort()
  }

  /** What the peer is told about the whole message: one reply, or LMTP's one a recipient. */
  async finish(): Promise<readonly Reply[]> {
    const sink = this.#sink
    if (sink === undefined) return [this.#failure ?? troubleReply(undefined)]
    this.#sink = undefined
    this.#finished = sink
    try {
      return await sink.finish()
    } catch (cause) {
      this.#told('smtp.finish', cause)
      return [troubleReply(cause)]
    }
  }

  /** The replies of `finish` were not heard. */
  unheard(): void {
    this.#finished?.unheard?.()
  }

  async abort(): Promise<void> {
    const sink = this.#sink
    this.#sink = undefined
    try {
      await sink?.abort()
    } catch (cause) {
      this.#told('smtp.abort', cause)
    }
  }

  #told(event: string, cause: unknown): void {
    this.#session.log.error(event, { cause: messageOf(cause) })
  }
}

/** Ends a message and answers it: LMTP each recipient (RFC 2033 §4.2), SMTP once. */
export async function answerMessage(
  session: SmtpSession,
  recipients: number,
  flow: ContentFlow | Reply,
): Promise<void> {
  const isRefused = 'code' in flow
  const replies = isRefused ? [flow] : await flow.finish()
  if (!isRefused) await session.listen(() => flow.unheard())
  const first = replies[0] ?? troubleReply(undefined)
  const count = session.options.door === 'lmtp' ? recipients : 1
  const turns = new Turns()
  for (let i = 0; i < count; i++) {
    session.say(replies[i] ?? first)
    if (turns.isOver) await turns.next()
  }
  session.log.info('smtp.message', {
    code: first.code,
    recipients,
    text: typeof first.text === 'string' ? first.text : first.text.join(' '),
  })
}
