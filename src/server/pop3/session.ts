import { fromLatin1, fromUtf8, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { parsePop3Command } from '#codec/pop3/command.ts'
import type { Admitted } from '#net/admission.ts'
import type { DoorClient } from '#net/door.ts'
import { LineConnection } from '#net/line-connection.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import { commandOf } from './commands.ts'
import type { Pop3State } from './command.ts'
import type { Maildrop } from './maildrop.ts'
import type { Pop3ListenerOptions } from './serve.ts'
import { ENGLISH } from './words.ts'
import type { Pop3Words } from './words.ts'

/** Passwords of 1,000 octets fit, as they are and in base64 (DESIGN section 7.5). */
const LINE_BYTES_MAX = 8 * 1024

/** One connection. */
export class Pop3Session {
  readonly options: Pop3ListenerOptions
  /** What USER named. */
  user: string | undefined
  account: Entrant | undefined
  maildrop: Maildrop | undefined
  /** Of the language that LANG asked for. */
  words: Pop3Words = ENGLISH
  ending = false
  readonly #connection: LineConnection
  #errors = 0
  #loginFailures = 0
  #startTlsNext = false
  readonly #startedMs: number
  readonly #admitted: Admitted

  constructor(options: Pop3ListenerOptions, client: DoorClient) {
    this.options = options
    this.#admitted = client.admitted
    const { transferTimeoutMs } = options.shared.limits
    this.#connection = new LineConnection(client, { clock: options.clock, transferTimeoutMs })
    this.#startedMs = options.clock.monotonicMs()
  }

  get ip(): string {
    return this.#connection.ip
  }

  get secure(): boolean {
    return this.#connection.secure
  }

  get state(): Pop3State {
    return this.maildrop === undefined ? 'authorization' : 'transaction'
  }

  get loginAllowed(): boolean {
    const { allowPlaintext } = this.options
    if (this.secure) return true
    return typeof allowPlaintext === 'function' ? allowPlaintext(this.ip) : allowPlaintext === true
  }

  /** What SCRAM binds; absent without TLS. */
  get channel(): LineConnection['channel'] {
    return this.#connection.channel
  }

  get tlsOffered(): boolean {
    return !this.secure && this.options.identity !== undefined
  }

  /** Serves until the connection ends. Never rejects. */
  async run(): Promise<void> {
    try {
      this.ok(`${this.options.hostname} POP3 ready`)
      await this.flush()
      while (!this.ending) await this.#once()
      await this.flush()
    } catch (thrown) {
      if (!isFault(thrown, 'closed')) {
        this.options.log.error('pop3.failed', { ip: this.ip, error: messageOf(thrown) })
        this.error(this.words.internalError, 'SYS/TEMP')
        await this.flush().catch(() => undefined)
      }
    } finally {
      // RFC 1939 §6: without QUIT nothing is removed.
      this.release()
      await this.#connection.close()
    }
  }

  /** Whose the maildrop is that was opened. */
  logIn(account: Entrant): void {
    this.account = account
    this.#admitted.loggedIn()
  }

  /** Lets the next session open the maildrop. */
  release(): void {
    if (this.account !== undefined) this.options.shared.open.delete(this.account.id)
    this.account = undefined
  }

  bye(): void {
    this.ending = true
    this.#connection.reader.detach()
  }

  #idleMs(): number {
    const { loginTimeoutMs, idleTimeoutMs } = this.options.shared.limits
    if (this.maildrop !== undefined) return idleTimeoutMs
    return Math.max(0, this.#startedMs + loginTimeoutMs - this.options.clock.monotonicMs())
  }

  async #once(): Promise<void> {
    const line = await this.#connection.reader.line(LINE_BYTES_MAX, this.#idleMs())
    if (line === 'eof' || line === 'timeout') {
      this.ending = true
      return // RFC 1939 §3: a timeout closes without a response
    }
    await this.#command(line)
    if (this.full) await this.flush()
    if (this.#startTlsNext) await this.#secure()
  }

  async #command(line: Octets | 'tooLong'): Promise<void> {
    const command = line === 'tooLong' ? undefined : parsePop3Command(line)
    const handler = command === undefined ? undefined : commandOf(command.verb)
    if (command === undefined || handler === undefined)
      return this.#mistake(line === 'tooLong' ? this.words.lineTooLong : this.words.unknownCommand)
    if (!handler.states.includes(this.state))
      return this.#mistake(this.words.notAllowedNow(command.verb))
    try {
      await handler.run(this, command.args)
    } catch (thrown) {
      if (!(thrown instanceof Fault) || this.#connection.isGone) throw thrown
      this.options.log.warn('pop3.unavailable', { ip: this.ip, error: thrown.message })
      if (thrown.code === 'notFound') this.error(this.words.messageGone)
      // RFC 3206 §4: asking again does not help, and the others of the maildrop come.
      else if (thrown.code === 'corrupt') this.error(this.words.messageDamaged, 'SYS/PERM')
      else this.error(this.words.storageAway, 'SYS/TEMP')
    }
  }

  #mistake(text: string): void {
    this.error(text)
    if (++this.#errors >= this.options.shared.limits.errorsMax) this.ending = true
  }

  ok(text: string): void {
    this.#say(`+OK ${text}\r\n`)
  }

  /** An error with its code of RFC 2449 §8 or RFC 3206 §4. */
  error(text: string, code?: 'AUTH' | 'SYS/TEMP' | 'SYS/PERM' | 'IN-USE'): void {
    this.#say(`-ERR ${code === undefined ? '' : `[${code}] `}${text}\r\n`)
  }

  #say(text: string): void {
    this.#connection.put(fromUtf8(text))
  }

  /** Text of a response, one character an octet. */
  put(text: string): void {
    this.#connection.put(fromLatin1(text))
  }

  get full(): boolean {
    return this.#connection.full
  }

  flush(): Promise<void> {
    return this.#connection.flush()
  }

  async octets(octets: Octets): Promise<void> {
    this.#connection.put(octets)
    if (this.full) await this.flush()
  }

  /** Ends a connection amid a response that cannot be finished. */
  abort(): never {
    return this.#connection.abort()
  }

  loginFailed(): void {
    this.error(this.words.wrongLogin, 'AUTH')
    if (++this.#loginFailures >= this.options.shared.limits.loginFailuresMax) this.ending = true
  }

  /** The answer to a challenge of SASL. */
  async challenge(octets: Octets): Promise<Octets | undefined> {
    this.put(`+ ${toLatin1(octets)}\r\n`)
    await this.flush()
    const { transferTimeoutMs } = this.options.shared.limits
    const timeoutMs = Math.min(transferTimeoutMs, this.#idleMs())
    const line = await this.#connection.reader.line(LINE_BYTES_MAX, timeoutMs)
    if (line === 'eof' || line === 'timeout') this.ending = true
    return typeof line === 'string' ? undefined : line
  }

  /** TLS begins after this command's answer. */
  secureNext(): void {
    this.#startTlsNext = true
  }

  async #secure(): Promise<void> {
    this.#startTlsNext = false
    // RFC 2595 §4: what was known before is forgotten, and what was pipelined in plain text too.
    this.user = undefined
    this.words = ENGLISH
    await this.#connection.startTls(this.options.identity?.())
  }
}
