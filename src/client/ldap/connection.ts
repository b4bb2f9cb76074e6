import type { Socket } from 'node:net'
import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { EntryReader, LdapControl, LdapMessage, LdapRequest } from '#codec/ldap/message.ts'
import { encodeRequest } from '#codec/ldap/request.ts'
import { messageLength, readEntry, readResponseBy } from '#codec/ldap/response.ts'
import { dial, secureClient } from '#net/dial.ts'
import { OctetReader } from '#net/lines.ts'
import { OctetWriter } from '#net/writer.ts'
import { Answers } from './answers.ts'
import { resultFault } from './results.ts'
import { serverName } from './server.ts'
import type { LdapServer, LdapTimes } from './server.ts'

/** Longer messages than any entry that people keep: a photograph has its room. */
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024
/** What is taken of a socket at once. */
const CHUNK_BYTES_MAX = 256 * 1024
const WRITE_TIMEOUT_MS = 10_000
/** Without a word from the other side the system asks whether it is still there. */
const KEEPALIVE_MS = 30_000
const START_TLS = '1.3.6.1.4.1.1466.20037'
const MESSAGE_ID_MAX = 2 ** 31 - 1

type Response<Op extends LdapMessage['response']['op']> = Extract<
  LdapMessage['response'],
  { readonly op: Op }
>

/** A result that is not a failure of the server, for its asker to look at. */
export type LdapEnd = Response<'result'> & { readonly controls: readonly LdapControl[] }

interface AskOptions {
  readonly controls?: readonly LdapControl[]
  /** For each answer anew; absent: the connection's; 'forever': as long as the connection stands. */
  readonly answerMs?: () => number | 'forever'
}

interface Asked {
  readonly answers: Answers<unknown>
  readonly readEntryAs: EntryReader<unknown>
}

/**
 * One connection to a directory server. Several questions may be under way at once; an asker that does
 * not take its answers holds the others up, as TCP would.
 */
export class LdapConnection {
  readonly server: LdapServer
  readonly #clock: Clock
  readonly #times: LdapTimes
  #socket: Socket
  #reader: OctetReader
  #writer: OctetWriter
  readonly #asked = new Map<number, Asked>()
  #lastId = 0
  #end: Fault | undefined

  private constructor(
    socket: Socket,
    parts: { readonly server: LdapServer; readonly clock: Clock; readonly times: LdapTimes },
  ) {
    this.server = parts.server
    this.#clock = parts.clock
    this.#times = parts.times
    this.#socket = socket
    this.#reader = new OctetReader(socket, this.#clock)
    this.#writer = new OctetWriter(socket, { clock: this.#clock, timeoutMs: WRITE_TIMEOUT_MS })
  }

  /** Connects and encrypts. Throws Fault `unreachable`, `timeout`, `closed` or `protocol`. */
  static async open(
    server: LdapServer,
    parts: { readonly clock: Clock; readonly times: LdapTimes },
  ): Promise<LdapConnection> {
    const { clock, times } = parts
    const wait = { clock, timeoutMs: times.connectMs, what: serverName(server) }
    const { host, port, path } = server
    const plain = await dial(path === undefined ? { host, port } : { path }, wait)
    plain.setKeepAlive(true, KEEPALIVE_MS)
    const trust = {
      name: host,
      ...(server.ca !== undefined && { ca: server.ca }),
      ...(server.identity !== undefined && { identity: server.identity }),
    }
    const socket = server.tls === 'implicit' ? await secureClient(plain, trust, wait) : plain
    const connection = new LdapConnection(socket, { server, clock, times })
    void connection.#read()
    if (server.tls !== 'starttls') return connection
    try {
      const end = await connection.ask({ op: 'extended', oid: START_TLS })
      if (end.result.code !== 0) throw resultFault(server, end.result)
      connection.#end = new Fault('closed', 'the connection goes on under TLS')
      connection.#reader.detach()
      const secured = await secureClient(plain, trust, wait)
      const next = new LdapConnection(secured, { server, clock, times })
      void next.#read()
      return next
    } catch (thrown) {
      connection.close()
      throw thrown
    }
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  /** Questions that are not answered yet. */
  get pending(): number {
    return this.#asked.size
  }

  /**
   * Asks, and gives what comes, as much at once as has come, the result last. Ending early abandons the
   * question (RFC 4511 §4.11). Throws Fault `timeout` after `answerMs` without a word, `closed` where the
   * server is gone.
   */
  answers(
    request: LdapRequest,
    options: AskOptions = {},
  ): AsyncGenerator<readonly LdapMessage[], void, void> {
    return this.answersAs(readEntry, request, options)
  }

  /** The same with entries in another form. */
  async *answersAs<Entry>(
    readEntryAs: EntryReader<Entry>,
    request: LdapRequest,
    options: AskOptions = {},
  ): AsyncGenerator<readonly LdapMessage<Entry>[], void, void> {
    if (this.#end !== undefined) throw this.#end
    const id = this.#nextId()
    const answers = new Answers<Entry>(this.#clock)
    this.#asked.set(id, { answers, readEntryAs })
    const { answerMs = () => this.#times.answerMs } = options
    let isDone = false
    try {
      await this.#write(encodeRequest(id, request, options.controls))
      while (!isDone) {
        const waitMs = answerMs()
        const messages = await answers.next(waitMs === 'forever' ? undefined : waitMs)
        isDone = messages.at(-1)?.response.op === 'result'
        yield messages
      }
    } finally {
      this.#asked.delete(id)
      answers.end(new Fault('closed', 'nobody asks any more'))
      if (!isDone && this.isOpen)
        void this.#write(encodeRequest(this.#nextId(), { op: 'abandon', id })).catch(ignoreFault)
    }
  }

  /** Asks what has one answer. */
  async ask(
    request: LdapRequest,
    options: { readonly controls?: readonly LdapControl[] } = {},
  ): Promise<LdapEnd> {
    for await (const messages of this.answers(request, options))
      for (const { response, controls } of messages)
        if (response.op === 'result') return { ...response, controls }
    throw new Fault('protocol', `${serverName(this.server)}: no result`)
  }

  /** Says goodbye where that can still be said. */
  close(): void {
    if (this.#end === undefined && !this.#socket.destroyed)
      this.#socket.write(encodeRequest(this.#nextId(), { op: 'unbind' }))
    this.#fail(new Fault('closed', 'the connection was closed'))
    this.#socket.end()
    this.#socket.destroySoon()
  }

  #nextId(): number {
    this.#lastId = (this.#lastId % MESSAGE_ID_MAX) + 1
    return this.#lastId
  }

  async #write(octets: Octets): Promise<void> {
    if ((await this.#writer.write(octets)) === 'ok') return
    this.#fail(this.#gone())
    throw this.#end ?? this.#gone()
  }

  /** Reads for as long as the connection stands. Never rejects. */
  async #read(): Promise<void> {
    try {
      let rest: Octets = emptyOctets
      while (this.isOpen) {
        const { end, full } = this.#messages(rest)
        rest = rest.subarray(end)
        if (full !== undefined) {
          await full
          continue
        }
        const more = await this.#more(rest)
        if (more === undefined) return this.#fail(this.#gone())
        rest = more
      }
    } catch (thrown) {
      this.#fail(isFault(thrown) ? thrown : new Fault('protocol', String(thrown)))
    }
  }

  /** What is left of the last octets and what comes next; where a message has begun, all of it. */
  async #more(rest: Octets): Promise<Octets | undefined> {
    const length = this.#decoded(messageLength(rest))
    if (length !== undefined && length > MESSAGE_BYTES_MAX)
      throw this.#broken('a message that is too long')
    const waitMs = rest.length === 0 ? Number.MAX_SAFE_INTEGER : WRITE_TIMEOUT_MS
    const more =
      length === undefined
        ? await this.#reader.octets(CHUNK_BYTES_MAX, waitMs)
        : await this.#reader.exactly(length - rest.length, waitMs)
    if (more === 'eof') return undefined
    if (more === 'timeout') throw new Fault('timeout', `${serverName(this.server)}: fell silent`)
    return rest.length === 0 ? more : concatOctets([rest, more])
  }

  /** Hands on all messages that are whole, up to one whose asker has enough: `full` waits for that one. */
  #messages(octets: Octets): { readonly end: number; readonly full?: Promise<void> } {
    let at = 0
    for (;;) {
      const length = this.#decoded(messageLength(octets, at))
      if (length === undefined || at + length > octets.length) return { end: at }
      const message = this.#decoded(readResponseBy(octets, at, this.#readerOf))
      at += length
      // RFC 4511 §4.4.1: with a notice of disconnection the server says why it goes.
      if (message.id === 0) throw notice(this.server, message)
      const full = this.#asked.get(message.id)?.answers.put(message)
      if (full !== undefined) return { end: at, full }
    }
  }

  /** What nobody asks for any more is read all the same: whether it is LDAP counts. */
  readonly #readerOf = (id: number): EntryReader<unknown> =>
    this.#asked.get(id)?.readEntryAs ?? readEntry

  #decoded<T>(outcome: Outcome<T, string>): T {
    if (outcome.ok) return outcome.value
    throw this.#broken(outcome.error)
  }

  #broken(why: string): Fault {
    return new Fault('protocol', `${serverName(this.server)}: ${why}`)
  }

  #gone(): Fault {
    return new Fault('closed', `${serverName(this.server)}: the connection was closed`)
  }

  #fail(fault: Fault): void {
    if (this.#end !== undefined) return
    this.#end = fault
    for (const { answers } of this.#asked.values()) answers.end(fault)
    this.#socket.destroySoon()
  }
}

function notice(server: LdapServer, { response }: LdapMessage<unknown>): Fault {
  const said = response.op === 'result' ? response.result.message : ''
  return new Fault('closed', `${serverName(server)}: went away${said === '' ? '' : `: ${said}`}`)
}

const ignoreFault = (thrown: unknown): void => {
  if (!isFault(thrown)) throw thrown
}
