import type { Socket } from 'node:net'
import { concatOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import type { LdapAsked, LdapControl, LdapResponse, LdapResult } from '#codec/ldap/message.ts'
import { PAGED_OID } from '#codec/ldap/paged.ts'
import { readRequest } from '#codec/ldap/read-request.ts'
import { messageLength } from '#codec/ldap/response.ts'
import { encodeResponse } from '#codec/ldap/write-response.ts'
import type { AnsweredOp } from '#codec/ldap/write-response.ts'
import type { Account } from '#model/account.ts'
import type { Admitted } from '#net/admission.ts'
import { closeSocket } from '#net/close.ts'
import { OctetReader } from '#net/lines.ts'
import { startTls } from '#net/tls.ts'
import { OctetWriter } from '#net/writer.ts'
import { mayStay } from '#store/directory/entrant.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import { bind } from './bind.ts'
import { compare } from './compare.ts'
import { extended } from './extended.ts'
import { resultOf } from './results.ts'
import { search } from './search.ts'
import type { PagedSearch } from './search.ts'
import type { LdapListenerOptions } from './serve.ts'

/** What an address book asks is some hundred octets; a name and a password of 1,000 octets fit. */
const MESSAGE_BYTES_MAX = 64 * 1024
const CLOSE_TIMEOUT_MS = 2_000
/** Of one connection at once; more are told to wait. */
const RUNNING_MAX = 8
const DISCONNECTION_OID = '1.3.6.1.4.1.1466.20036' // RFC 4511 §4.4.1

/** An operation under way that can be given up. */
export interface Running {
  readonly id: number
  isAbandoned: boolean
}

/** One connection. */
export class LdapSession {
  readonly options: LdapListenerOptions
  readonly ip: string
  isSecure: boolean
  /** The search that the next page goes on with. */
  paged: PagedSearch | undefined
  /** Who logged in, as that account was then. */
  entrant: Entrant | undefined
  #reader: OctetReader
  #writer: OctetWriter
  #socket: Socket
  #written: Promise<unknown> = Promise.resolve()
  readonly #running = new Map<number, { readonly state: Running; readonly done: Promise<void> }>()
  #ending = false
  #loginFailures = 0
  readonly #startedMs: number
  readonly #admitted: Admitted

  constructor(
    options: LdapListenerOptions,
    connection: {
      readonly socket: Socket
      readonly ip: string
      readonly secure: boolean
      readonly admitted: Admitted
    },
  ) {
    this.options = options
    this.ip = connection.ip
    this.isSecure = connection.secure
    this.#admitted = connection.admitted
    this.#socket = connection.socket
    this.#reader = new OctetReader(connection.socket, options.clock)
    this.#writer = this.#writerTo(connection.socket)
    this.#startedMs = options.clock.monotonicMs()
  }

  /** Who is logged in and still may be: the row as it is now. */
  get account(): Account | undefined {
    const { directory } = this.options.shared
    const was = this.entrant
    return was !== undefined && mayStay(was, directory) ? directory.account(was.id) : undefined
  }

  get isLoginAllowed(): boolean {
    return this.isSecure || this.options.allowPlaintext?.(this.ip) === true
  }

  /** Serves until the connection ends. Never rejects. */
  async run(): Promise<void> {
    try {
      while (!this.#ending) await this.#once()
    } catch (thrown) {
      if (!isFault(thrown, 'closed')) {
        this.options.log.error('ldap.failed', { ip: this.ip, error: messageOf(thrown) })
        await this.#disconnect(resultOf('other', 'internal error'))
      }
    } finally {
      this.#abandonAll()
      await this.#written
      await closeSocket(this.#socket, { clock: this.options.clock, timeoutMs: CLOSE_TIMEOUT_MS })
    }
  }

  /** Ends what waits; what is under way is cut off where it takes long. */
  bye(result: LdapResult = resultOf('unavailable', 'the server ends')): void {
    if (this.#ending) return
    this.#ending = true
    this.#abandonAll()
    void this.#disconnect(result).then(() => this.#reader.detach())
  }

  logIn(account: Entrant): void {
    this.entrant = account
    this.#admitted.loggedIn()
  }

  logOut(): void {
    this.entrant = undefined
    this.paged = undefined
    this.#admitted.loggedOut()
  }

  /** Another guess: after some of them the connection ends. */
  loginFailed(): void {
    if (++this.#loginFailures >= this.options.shared.limits.loginFailuresMax) this.#ending = true
  }

  /** Sends answers of one operation; messages of several never mix. Rejects with `closed` where nobody reads. */
  async send(messages: readonly Octets[]): Promise<'ok' | 'gone'> {
    const sent = this.#written.then(() => this.#writer.write(concatOctets(messages)))
    this.#written = sent
    return sent
  }

  async answer(
    asked: LdapAsked,
    result: LdapResult,
    more: {
      readonly controls?: readonly LdapControl[]
      readonly saslCredentials?: Octets
      readonly oid?: string
      readonly value?: Octets
    } = {},
  ): Promise<void> {
    const { controls = [], ...rest } = more
    const response: LdapResponse = { op: 'result', result, ...rest }
    const op = asked.request.op as AnsweredOp
    const sent = await this.send([encodeResponse(asked.id, response, { op, controls })])
    if (sent === 'gone') this.#ending = true
  }

  /** Whether STARTTLS would find nothing else under way (RFC 4511 §4.14.1). */
  get isIdle(): boolean {
    return this.#running.size === 0
  }

  /** Speaks TLS from the next octet on. What came before it in clear may be anybody's, and ends the connection. */
  async secure(): Promise<void> {
    const identity = this.options.identity()
    if (this.#reader.buffered > 0) {
      this.#ending = true
      return
    }
    this.#reader.detach()
    const secured = await startTls(this.#socket, identity, { clock: this.options.clock })
    if (secured === undefined) {
      this.#ending = true
      return
    }
    this.#socket = secured
    this.#reader = new OctetReader(secured, this.options.clock)
    this.#writer = this.#writerTo(secured)
    this.isSecure = true
  }

  async #once(): Promise<void> {
    const octets = await this.#message()
    if (octets === undefined) {
      this.#ending = true
      return
    }
    const read = typeof octets === 'string' ? undefined : readRequest(octets)
    if (read === undefined || !read.ok) {
      const text = typeof octets === 'string' ? octets : read?.ok === false ? read.error : ''
      await this.#disconnect(resultOf('protocolError', text))
      this.#ending = true
      return
    }
    await this.#take(read.value)
  }

  /** A whole message; a text says what it is instead. Undefined: the peer has ended, or said nothing for too long. */
  async #message(): Promise<Octets | string | undefined> {
    const { transferTimeoutMs } = this.options.shared.limits
    let head = await this.#reader.exactly(2, this.#idleMs())
    for (;;) {
      if (typeof head === 'string') return undefined
      const length = messageLength(head)
      if (!length.ok) return length.error
      if (length.value !== undefined) {
        if (length.value > MESSAGE_BYTES_MAX) return 'the message is too long'
        const rest = length.value - head.length
        if (rest < 0) return 'this is not LDAP'
        if (rest === 0) return head
        const body = await this.#reader.exactly(rest, transferTimeoutMs)
        return typeof body === 'string' ? undefined : concatOctets([head, body])
      }
      const more = await this.#reader.exactly(1, transferTimeoutMs)
      head = typeof more === 'string' ? more : concatOctets([head, more])
    }
  }

  #idleMs(): number {
    const { loginTimeoutMs, idleTimeoutMs } = this.options.shared.limits
    if (this.entrant !== undefined) return idleTimeoutMs
    return Math.max(0, this.#startedMs + loginTimeoutMs - this.options.clock.monotonicMs())
  }

  async #take(asked: LdapAsked): Promise<void> {
    const { request } = asked
    switch (request.op) {
      case 'unbind':
        this.#ending = true
        return
      case 'abandon': {
        const running = this.#running.get(request.id)
        if (running !== undefined) running.state.isAbandoned = true
        return
      }
      case 'bind':
        // RFC 4511 §4.2.1: what was asked by whoever it was is not answered to somebody else.
        this.#abandonAll()
        await Promise.all([...this.#running.values()].map(({ done }) => done))
        return bind(this, asked, request)
      default:
        break
    }
    const critical = asked.controls.find(
      ({ oid, critical: is }) => is === true && !(oid === PAGED_OID && request.op === 'search'),
    )
    if (critical !== undefined)
      return this.answer(
        asked,
        resultOf('unavailableCriticalExtension', `control ${critical.oid} is not known`),
      )
    switch (request.op) {
      case 'search':
        return this.#start(asked, (running) => search(this, { asked, request, running }))
      case 'compare':
        return compare(this, asked, request)
      case 'extended':
        return extended(this, asked, request)
      default:
        return this.answer(asked, resultOf('unwillingToPerform', 'this directory is read-only'))
    }
  }

  /** Runs beside what is asked next, so that it can be abandoned. */
  async #start(asked: LdapAsked, work: (running: Running) => Promise<void>): Promise<void> {
    if (this.#running.size >= RUNNING_MAX || this.#running.has(asked.id))
      return this.answer(asked, resultOf('busy', 'too many searches at once'))
    const state: Running = { id: asked.id, isAbandoned: false }
    const done = work(state)
      .catch(async (thrown: unknown) => {
        this.options.log.error('ldap.failed', { ip: this.ip, error: messageOf(thrown) })
        await this.answer(asked, resultOf('other', 'internal error'))
      })
      .finally(() => this.#running.delete(asked.id))
    this.#running.set(asked.id, { state, done })
  }

  #abandonAll(): void {
    for (const { state } of this.#running.values()) state.isAbandoned = true
  }

  async #disconnect(result: LdapResult): Promise<void> {
    const response = { op: 'result', result, oid: DISCONNECTION_OID } as const
    await this.send([encodeResponse(0, response, { op: 'extended' })])
  }

  #writerTo(socket: Socket): OctetWriter {
    const { clock, shared } = this.options
    return new OctetWriter(socket, { clock, timeoutMs: shared.limits.transferTimeoutMs })
  }
}
