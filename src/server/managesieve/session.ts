import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import type { ManageSieveCommand } from '#codec/managesieve/command.ts'
import { renderResponse } from '#codec/managesieve/response.ts'
import type { ManageSieveResponse } from '#codec/managesieve/response.ts'
import { parseString, Words } from '#codec/managesieve/words.ts'
import { SCRIPT_BYTES_MAX } from '#codec/sieve/parse.ts'
import type { Scripts } from '#engine/deliver/scripts.ts'
import type { AccountId } from '#model/account.ts'
import type { Admitted } from '#net/admission.ts'
import type { DoorClient } from '#net/door.ts'
import { LineConnection } from '#net/line-connection.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import { putCapabilities } from './capabilities.ts'
import type { ManageSieveState } from './command.ts'
import { handlerOf } from './commands.ts'
import { readCommand } from './read-command.ts'
import type { Received } from './read-command.ts'
import { bye, done, no } from './responses.ts'
import type { ManageSieveListenerOptions } from './serve.ts'

/** Names and SASL; scripts are literals. Passwords of 1,000 octets fit in base64 (DESIGN section 7.5). */
const LINE_BYTES_MAX = 8 * 1024
/** Of who has not logged in. */
const STRANGER_STRING_BYTES_MAX = 8 * 1024
/** What is told to be too large, instead of ending the connection. */
const DROPPED_BYTES_MAX = 16 * SCRIPT_BYTES_MAX

/** One connection. */
export class ManageSieveSession {
  readonly options: ManageSieveListenerOptions
  readonly connection: LineConnection
  account: Entrant | undefined
  #ending = false
  #bye: ManageSieveResponse | undefined
  #errors = 0
  #loginFailures = 0
  #startTlsNext = false
  #startedMs: number
  readonly #admitted: Admitted

  constructor(options: ManageSieveListenerOptions, client: DoorClient) {
    this.options = options
    this.#admitted = client.admitted
    const { transferTimeoutMs } = options.shared.limits
    this.connection = new LineConnection(client, { clock: options.clock, transferTimeoutMs })
    this.#startedMs = options.clock.monotonicMs()
  }

  get ip(): string {
    return this.connection.ip
  }

  get state(): ManageSieveState {
    return this.account === undefined ? 'stranger' : 'loggedIn'
  }

  get loginAllowed(): boolean {
    const { allowPlaintext } = this.options
    if (this.connection.secure) return true
    return typeof allowPlaintext === 'function' ? allowPlaintext(this.ip) : allowPlaintext === true
  }

  get tlsOffered(): boolean {
    return !this.connection.secure && this.options.identity !== undefined
  }

  /** Whose scripts they are. */
  get accountId(): AccountId {
    if (this.account === undefined) throw new Error('no account before login')
    return this.account.id
  }

  /** Each change names its author in an event. */
  get scripts(): Scripts {
    return this.options.shared.scripts(`${this.account?.username ?? ''} by managesieve ${this.ip}`)
  }

  /** Serves until the connection ends. Never rejects. */
  async run(): Promise<void> {
    const { log } = this.options
    try {
      this.#greet()
      await this.connection.flush()
      while (!this.#ending) await this.#once()
      await this.#sayBye()
    } catch (thrown) {
      if (!isFault(thrown, 'closed')) {
        log.error('managesieve.failed', { ip: this.ip, error: messageOf(thrown) })
        this.#bye = bye('Internal error', 'TRYLATER')
        await this.#sayBye().catch(() => undefined)
      }
    } finally {
      await this.connection.close()
    }
  }

  /** Ends the session as soon as its client waits. */
  bye(response: ManageSieveResponse): void {
    this.#end(response)
    this.connection.reader.detach()
  }

  /** Ends the session behind the answer of now. */
  end(): void {
    this.#ending = true
  }

  logIn(account: Entrant): void {
    this.account = account
    this.#admitted.loggedIn()
  }

  /** As if the connection had just come, but for its TLS (RFC 5804 §2.14). */
  logOut(): void {
    this.account = undefined
    this.#admitted.loggedOut()
    this.#startedMs = this.options.clock.monotonicMs()
  }

  loginFailed(): void {
    if (++this.#loginFailures >= this.options.shared.limits.loginFailuresMax)
      this.#end(bye('Too many failed logins'))
  }

  /** TLS begins after this command's answer. */
  secureNext(): void {
    this.#startTlsNext = true
  }

  put(octets: Octets | string): void {
    this.connection.put(typeof octets === 'string' ? fromUtf8(octets) : octets)
  }

  /** A string of the client's outside a command: its answer to a challenge of SASL. */
  async string(): Promise<Octets | undefined> {
    await this.connection.flush()
    const words = new Words()
    const { reader } = this.connection
    for (;;) {
      const line = await reader.line(LINE_BYTES_MAX, this.#transferMs())
      if (line === 'eof' || line === 'timeout' || line === 'tooLong') return this.#lost(line)
      const ahead = words.line(line)
      if (ahead === undefined) return parseString(words.end())
      if (!ahead.plus || ahead.sizeBytes > STRANGER_STRING_BYTES_MAX) return this.#lost('tooLong')
      const literal = await reader.exactly(ahead.sizeBytes, this.#transferMs())
      if (literal === 'eof' || literal === 'timeout') return this.#lost(literal)
      words.literal(literal)
    }
  }

  #lost(why: 'eof' | 'timeout' | 'tooLong'): undefined {
    this.#ended(why === 'tooLong' ? 'tooMuch' : why)
  }

  #greet(): void {
    putCapabilities(this)
    this.put(renderResponse(done(`${this.options.hostname} ManageSieve ready`)))
  }

  async #once(): Promise<void> {
    const isStranger = this.account === undefined
    const received = await readCommand(this.connection.reader, {
      lineBytesMax: LINE_BYTES_MAX,
      stringBytesMax: isStranger ? STRANGER_STRING_BYTES_MAX : SCRIPT_BYTES_MAX + LINE_BYTES_MAX,
      droppedBytesMax: isStranger ? STRANGER_STRING_BYTES_MAX : DROPPED_BYTES_MAX,
      idleTimeoutMs: this.#idleMs(),
      transferTimeoutMs: () => this.#transferMs(),
    })
    const response = await this.#answer(received)
    if (response !== undefined) this.put(renderResponse(response))
    const { connection } = this
    if (connection.full) await connection.flush()
    if (!this.#startTlsNext) return
    this.#startTlsNext = false
    await connection.startTls(this.options.identity?.())
    this.#greet() // RFC 5804 §2.2: capabilities are told anew
    await connection.flush()
  }

  async #answer(received: Received): Promise<ManageSieveResponse | undefined> {
    switch (received.kind) {
      case 'command':
        return this.#command(received.command)
      case 'tooLarge':
        return no(`A script may have ${SCRIPT_BYTES_MAX} octets`, 'QUOTA/MAXSIZE')
      case 'fault':
        return this.#mistake(received.text)
      case 'end':
        return this.#ended(received.why)
    }
  }

  async #command(command: ManageSieveCommand): Promise<ManageSieveResponse> {
    const handler = handlerOf(command.verb)
    if (!handler.states.includes(this.state))
      return this.#mistake(
        this.account === undefined ? 'Log in first' : `${command.verb} is for before a login`,
      )
    try {
      return await handler.run(this, command)
    } catch (thrown) {
      if (!(thrown instanceof Fault) || this.connection.isGone) throw thrown
      this.options.log.warn('managesieve.unavailable', { ip: this.ip, error: thrown.message })
      return no('Scripts cannot be reached for now; try again later', 'TRYLATER')
    }
  }

  #mistake(text: string): ManageSieveResponse {
    if (++this.#errors >= this.options.shared.limits.errorsMax) this.#end(bye('Too many mistakes'))
    return no(text)
  }

  #ended(why: 'eof' | 'timeout' | 'tooMuch' | 'notPlus'): undefined {
    const isStranger = this.account === undefined
    if (why === 'eof') this.end()
    if (why === 'timeout') this.#end(bye(isStranger ? 'Log in sooner' : 'Idle for too long'))
    if (why === 'tooMuch') this.#end(bye('That is too long'))
    if (why === 'notPlus') this.#end(bye('A literal is announced with a +, as {5+}'))
  }

  /** The first reason is the one that is told. */
  #end(response: ManageSieveResponse): void {
    this.#bye ??= response
    this.#ending = true
  }

  async #sayBye(): Promise<void> {
    if (this.#bye !== undefined) this.put(renderResponse(this.#bye))
    await this.connection.flush()
  }

  #idleMs(): number {
    const { loginTimeoutMs, idleTimeoutMs } = this.options.shared.limits
    if (this.account !== undefined) return idleTimeoutMs
    return Math.max(0, this.#startedMs + loginTimeoutMs - this.options.clock.monotonicMs())
  }

  /** Who has not logged in gains no time by sending little by little. */
  #transferMs(): number {
    return Math.min(this.options.shared.limits.transferTimeoutMs, this.#idleMs())
  }
}
