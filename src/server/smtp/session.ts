import type { Socket } from 'node:net'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { SECOND_MS } from '#base/time.ts'
import { Turns } from '#base/turns.ts'
import { parseCommandLine } from '#codec/smtp/command-line.ts'
import { renderReply } from '#codec/smtp/reply.ts'
import type { MailCommand, Transaction } from '#model/reception.ts'
import type { Greeting, Peer } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'
import { channelBinding } from '#net/channel-binding.ts'
import { closeSocket } from '#net/close.ts'
import { OctetReader } from '#net/lines.ts'
import { peerAddress, tlsOf } from '#net/peer.ts'
import { startTls } from '#net/tls.ts'
import { OctetWriter } from '#net/writer.ts'
import { scramOffered } from '#store/directory/scram-exchange.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import type { Chunks } from './bdat.ts'
import { COMMANDS } from './commands.ts'
import { barredReply } from './mail.ts'
import { AUTH_LINE_BYTES_MAX, HANDED_LINE_BYTES_MAX } from './options.ts'
import type { MailListenerOptions, SmtpLimits } from './options.ts'
import { reply, troubleReply } from './replies.ts'

/** MAIL has been accepted; ends with the message, RSET, or the connection. */
export interface OpenTransaction {
  readonly reception: Transaction
  readonly command: MailCommand
  recipients: number
  chunks?: Chunks
}

const LINGER_TIMEOUT_MS = 2 * SECOND_MS
/** Replies of a pipelining peer wait for one another, up to here. */
const BATCH_CHARS_MAX = 16_384
/** Browsers that were sent here with somebody's form: nothing of it is a command. */
const FOREIGN_VERBS = new Set(['GET', 'POST', 'PUT', 'CONNECT', 'HEAD', 'OPTIONS'])

/** One connection of SMTP or LMTP. */
export class SmtpSession {
  readonly options: MailListenerOptions
  readonly limits: SmtpLimits
  readonly log: Log
  /** What the peer calls itself, and by which command; absent until it greets. */
  greeted: { readonly verb: Greeting; readonly name: string } | undefined
  account: Entrant | undefined
  transaction: OpenTransaction | undefined
  loginFailures = 0
  #socket: Socket
  #reader: OctetReader
  #writer: OctetWriter
  readonly #address: { readonly ip: string; readonly port: number }
  readonly #startedMs: number
  #batch = ''
  #errors = 0
  #refusals = 0
  #ended = false
  /** It did not come to a clean end. */
  #isBroken = false
  #unheard: (() => void) | undefined
  #draining = false
  #waiting = false

  constructor(socket: Socket, options: MailListenerOptions, limits: SmtpLimits) {
    this.options = options
    this.limits = limits
    this.#address = peerAddress(socket)
    this.log = options.log.with({ door: options.door, ip: this.#address.ip })
    this.#socket = socket
    this.#startedMs = options.clock.monotonicMs()
    this.#reader = new OctetReader(socket, options.clock)
    this.#writer = this.#writerOf(socket)
  }

  /** Runs to the end of the connection; never rejects. */
  async run(): Promise<void> {
    try {
      if (this.options.tls !== 'implicit' || (await this.secure())) await this.#converse()
    } catch (cause) {
      this.log.error('smtp.session', { cause: messageOf(cause) })
      this.say(reply(421, '4.3.0', 'temporary trouble here; closing'))
    }
    await this.reset().catch(() => undefined)
    await this.flush()
    if (this.#isBroken || this.#socket.errored !== null) this.#unheard?.()
    await closeSocket(this.#socket, {
      clock: this.options.clock,
      timeoutMs: LINGER_TIMEOUT_MS,
    })
  }

  get peer(): Peer {
    const { greeted } = this
    const tls = tlsOf(this.#socket)
    return {
      ...this.#address,
      ...(greeted === undefined ? {} : { helo: greeted.name, greeting: greeted.verb }),
      ...(tls === undefined ? {} : { tls }),
      ...(this.account === undefined ? {} : { accountId: this.account.id }),
    }
  }

  get secured(): boolean {
    return tlsOf(this.#socket) !== undefined
  }

  /** What SCRAM binds; absent without TLS, and where binding is not offered. */
  get channel(): ((type: string) => Octets | undefined) | undefined {
    if (!this.secured || this.options.scramPlus?.() !== true) return undefined
    return (type) => channelBinding(this.#socket, type)
  }

  /** The mechanisms that a login may use now. */
  get mechanisms(): readonly string[] {
    const { authenticator } = this.options
    return ['PLAIN', 'LOGIN', ...(authenticator ? scramOffered(authenticator, this.channel) : [])]
  }

  get mayStartTls(): boolean {
    return this.options.tls === 'starttls' && this.options.identity !== undefined && !this.secured
  }

  get mayLogIn(): boolean {
    const { door, authenticator, allowPlaintext } = this.options
    if (door !== 'submission' || authenticator === undefined) return false
    return this.secured || allowPlaintext?.(this.#address.ip) === true
  }

  get takesHanded(): boolean {
    const { door, trusted, parseHanded } = this.options
    return door === 'lmtp' && trusted === true && parseHanded !== undefined
  }

  get postmasterDomain(): string {
    return this.options.postmasterDomain ?? this.options.hostname
  }

  /** True where the peer has sent more than the command that is being carried out. */
  get pipelined(): boolean {
    return this.#reader.buffered > 0
  }

  barred(): Reply | undefined {
    return barredReply(this)
  }

  begin(reception: Transaction, command: MailCommand): void {
    this.transaction = { reception, command, recipients: 0 }
  }

  /** The transaction is over; whoever ends it has told the reception. */
  forget(): void {
    this.transaction = undefined
  }

  /** Back to where EHLO left us (RFC 5321 §4.1.1.5). */
  async reset(): Promise<void> {
    const { transaction } = this
    this.transaction = undefined
    if (transaction === undefined) return
    if (transaction.chunks?.flow === undefined) transaction.reception.abort()
    else await transaction.chunks.flow.abort()
  }

  /** The connection ends once the replies are written. */
  end(): void {
    this.#ended = true
  }

  countRefusal(): void {
    this.#refusals++
  }

  say(said: Reply): void {
    // To a gateway of ours always: its reports show people what a user's script has said.
    const utf8 = this.takesHanded || this.transaction?.command.smtpUtf8 === true
    this.#batch += renderReply(said, utf8 ? 'utf8' : 'ascii')
  }

  /** Writes what was said; false where nobody listens any more. */
  async flush(): Promise<boolean> {
    const batch = this.#batch
    this.#batch = ''
    if (batch !== '' && (await this.#writer.write(batch)) === 'gone')
      this.#ended = this.#isBroken = true
    return !this.#socket.destroyed
  }

  /** The next line, replies written before it is waited for; undefined where the session is over. */
  async line(bytesMax: number): Promise<Octets | 'tooLong' | undefined> {
    if (
      (this.#batch.length > BATCH_CHARS_MAX || !this.#reader.lineReady()) &&
      !(await this.flush())
    )
      return undefined
    return this.#inTime(
      await this.#reader.line(bytesMax, this.#timeLeft(this.limits.commandTimeoutMs)),
    )
  }

  /** Octets of content; undefined where the session is over. */
  async octets(bytesMax: number): Promise<Octets | undefined> {
    return this.#inTime(
      await this.#reader.octets(bytesMax, this.#timeLeft(this.limits.dataTimeoutMs)),
    )
  }

  /**
   * The replies that follow may never be heard: `unheard` is called where the peer has gone already,
   * or goes without a clean end before it says anything more. A node of ours knows by other means.
   */
  async listen(unheard: () => void): Promise<void> {
    if (this.options.door !== 'lmtp' || this.takesHanded) return
    if (await this.#reader.hasEnded()) unheard()
    else this.#unheard = unheard
  }

  unread(count: number): void {
    this.#reader.unread(count)
  }

  /** Changes to TLS and forgets what was said before it (RFC 3207 §4.2). */
  async secure(): Promise<boolean> {
    const identity = this.options.identity?.()
    if (identity === undefined || !(await this.flush())) {
      this.#ended = true
      return false
    }
    this.#reader.detach()
    const secured = await startTls(this.#socket, identity, { clock: this.options.clock })
    this.greeted = undefined
    this.account = undefined
    if (secured === undefined) {
      this.log.info('smtp.tlsFailed')
      this.#ended = true
      return false
    }
    this.#socket = secured
    this.#reader = new OctetReader(secured, this.options.clock)
    this.#writer = this.#writerOf(secured)
    return true
  }

  /** Shutting down: an idle session hears 421 at once, a transaction may finish. */
  drain(): void {
    this.#draining = true
    if (this.#waiting && this.transaction === undefined) this.#leave(this.#drained())
  }

  /** Who has logged in may be in no longer: nothing that is under way is taken any more. */
  cutOff(): void {
    if (this.#waiting) this.#leave(reply(421, '4.7.0', 'this login may not be used any longer'))
    else this.destroy()
  }

  #leave(said: Reply): void {
    this.#ended = true
    void this.#writer
      .write(renderReply(said))
      .then(() =>
        closeSocket(this.#socket, { clock: this.options.clock, timeoutMs: LINGER_TIMEOUT_MS }),
      )
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async #converse(): Promise<void> {
    const unready = this.options.reception.unready()
    if (unready !== undefined) return this.say({ ...unready, code: 421 }) // RFC 5321 §3.1
    const protocol = this.options.door === 'lmtp' ? 'LMTP' : 'ESMTP'
    this.say({ code: 220, text: `${this.options.hostname} ${protocol} Watari` })
    const turns = new Turns()
    while (!this.#ended) {
      if (this.#draining && this.transaction === undefined) return this.say(this.#drained())
      this.#waiting = true
      const line = await this.line(Math.max(this.#lineBytesMax(), AUTH_LINE_BYTES_MAX))
      this.#waiting = false
      if (line === undefined) return
      this.#unheard = undefined
      const said = line === 'tooLong' ? this.#tooLong() : await this.#obey(line)
      if (said !== undefined) this.#answer(said)
      if (turns.isOver) await turns.next() // thousands of RCPT may have come at once
    }
  }

  #lineBytesMax(): number {
    return this.takesHanded
      ? Math.max(HANDED_LINE_BYTES_MAX, this.limits.commandBytesMax)
      : this.limits.commandBytesMax
  }

  #tooLong(): Reply {
    return reply(
      500,
      '5.5.2',
      `line is longer than the ${this.limits.commandBytesMax} octets allowed`,
    )
  }

  async #obey(line: Octets): Promise<Reply | undefined> {
    const parsed = parseCommandLine(line)
    if (!parsed.ok) return reply(500, '5.5.2', 'this is no command')
    const { verb, rest } = parsed.value
    if (verb !== 'AUTH' && line.length > this.#lineBytesMax()) return this.#tooLong()
    if (FOREIGN_VERBS.has(verb)) {
      this.end()
      return reply(421, '4.7.0', 'this is a mail server; closing')
    }
    const command = COMMANDS.get(verb)
    if (command === undefined) return reply(500, '5.5.1', 'unknown command')
    try {
      return await command.run(this, rest)
    } catch (cause) {
      this.log.error('smtp.command', { verb, cause: messageOf(cause) })
      await this.reset()
      return troubleReply(cause)
    }
  }

  #answer(said: Reply): void {
    this.say(said)
    if (said.code < 400) return
    this.log.info('smtp.refused', {
      code: said.code,
      text: typeof said.text === 'string' ? said.text : said.text.join(' '),
    })
    if (said.code >= 500 && said.code < 505) this.#errors++
    if (this.#errors < this.limits.errorsMax && this.#refusals < this.limits.refusedRecipientsMax)
      return
    if (this.#ended) return
    this.end()
    this.say(reply(421, '4.7.0', 'too many errors; closing'))
  }

  #inTime<T>(got: T | 'eof' | 'timeout'): Exclude<T, 'eof' | 'timeout'> | undefined {
    if (got === 'timeout' && !this.#ended) this.say(reply(421, '4.4.2', 'time is up; closing'))
    if (got !== 'timeout' && got !== 'eof') return got as Exclude<T, 'eof' | 'timeout'>
    this.#ended = true
    if (got === 'timeout') this.#isBroken = true
    return undefined
  }

  #timeLeft(mostMs: number): number {
    const { sessionTimeoutMs, loginTimeoutMs } = this.limits
    const isWaiting = this.options.door === 'submission' && this.account === undefined
    const wholeMs = isWaiting ? Math.min(sessionTimeoutMs, loginTimeoutMs) : sessionTimeoutMs
    return Math.min(mostMs, this.#startedMs + wholeMs - this.options.clock.monotonicMs())
  }

  #drained(): Reply {
    return reply(421, '4.3.2', `${this.options.hostname} is shutting down; try again later`)
  }

  #writerOf(socket: Socket): OctetWriter {
    return new OctetWriter(socket, {
      clock: this.options.clock,
      timeoutMs: this.limits.writeTimeoutMs,
    })
  }
}
