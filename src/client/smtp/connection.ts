import type { Socket } from 'node:net'
import { Fault, isFault } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { asciiUpper } from '#base/text.ts'
import type { Clock } from '#base/time.ts'
import { dial, secureClient } from '#net/dial.ts'
import { OctetReader } from '#net/lines.ts'
import { OctetWriter } from '#net/writer.ts'
import {
  BLOCK_TIMEOUT_MS,
  COMMAND_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  GREETING_TIMEOUT_MS,
  QUIT_TIMEOUT_MS,
  TLS_TIMEOUT_MS,
  peerName,
} from './job.ts'
import type { DeliverJob, Endpoint } from './job.ts'
import { readReply } from './reply.ts'
import type { PeerReply } from './reply.ts'

type Greet = Pick<DeliverJob, 'protocol' | 'tls' | 'helo'>

/** A greeted connection, ready for MAIL. */
export class Connection {
  readonly endpoint: Endpoint
  /** Extensions by their keyword, with their parameters. */
  readonly offers: ReadonlyMap<string, string>
  readonly secure: boolean
  /** Transactions that it has carried. */
  served = 0
  #line: Line

  private constructor(line: Line, known: { endpoint: Endpoint; offers: Map<string, string> }) {
    this.#line = line
    this.endpoint = known.endpoint
    this.offers = known.offers
    this.secure = line.secure
  }

  /**
   * Connects, greets and encrypts where it can; where the handshake fails, once more in plain.
   * Throws Fault `unreachable`, `timeout`, `closed` or `protocol`.
   */
  static async open(endpoint: Endpoint, greet: Greet, clock: Clock): Promise<Connection> {
    try {
      return await Connection.#open(endpoint, greet, clock)
    } catch (thrown) {
      if (!(thrown instanceof TlsFault)) throw thrown
      return Connection.#open(endpoint, { ...greet, tls: 'never' }, clock)
    }
  }

  static async #open(endpoint: Endpoint, greet: Greet, clock: Clock): Promise<Connection> {
    const socket = await reach(endpoint, clock)
    let line = new Line(socket, clock)
    try {
      const greeting = await line.reply(GREETING_TIMEOUT_MS)
      if (greeting.code !== 220) throw refused(greeting)
      let offers = await hello(line, greet)
      if (greet.tls === 'opportunistic' && offers.has('STARTTLS') && 'ip' in endpoint) {
        const secured = await startTls(line, endpoint.name)
        if (secured !== undefined) {
          line = secured
          offers = await asTls(hello(line, greet)) // RFC 3207 §4.2: what was offered in plain is void
        }
      }
      return new Connection(line, { endpoint, offers })
    } catch (thrown) {
      line.destroy()
      throw thrown
    }
  }

  get peer(): string {
    return peerName(this.endpoint)
  }

  /** False once the peer has spoken or gone though nobody asked it: it is of no use any more. */
  get idle(): boolean {
    return this.#line.idle
  }

  /** Throws Fault `closed` where the peer takes no more. */
  write(content: Octets | string): Promise<void> {
    return this.#line.write(content)
  }

  reply(timeoutMs: number): Promise<PeerReply> {
    return this.#line.reply(timeoutMs)
  }

  destroy(): void {
    this.#line.destroy()
  }

  /** Says QUIT and waits a moment for the answer. */
  async quit(): Promise<void> {
    try {
      await this.write('QUIT\r\n')
      await this.reply(QUIT_TIMEOUT_MS)
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown // the peer is gone: that was the wish
    } finally {
      this.destroy()
    }
  }
}

/** One socket with its reader and writer. */
class Line {
  readonly secure: boolean
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #reader: OctetReader
  readonly #writer: OctetWriter

  constructor(socket: Socket, clock: Clock, secure = false) {
    this.secure = secure
    this.#socket = socket
    this.#clock = clock
    this.#reader = new OctetReader(socket, clock)
    this.#writer = new OctetWriter(socket, { clock, timeoutMs: BLOCK_TIMEOUT_MS })
  }

  get idle(): boolean {
    return !this.#socket.destroyed && this.#socket.readable && this.#reader.buffered === 0
  }

  async write(content: Octets | string): Promise<void> {
    if ((await this.#writer.write(content)) === 'gone')
      throw new Fault('closed', 'the connection was closed')
  }

  reply(timeoutMs: number): Promise<PeerReply> {
    return readReply(this.#reader, timeoutMs)
  }

  /** The same socket under TLS. What came in plain behind the 220 is dropped: it was injected. */
  async encrypt(name: string): Promise<Line> {
    this.#reader.detach()
    for (;;) if (this.#socket.read() === null) break
    const trust = { name, unchecked: true } // opportunistic: a certificate that nobody could check is no loss
    const wait = { clock: this.#clock, timeoutMs: TLS_TIMEOUT_MS }
    return new Line(await secureClient(this.#socket, trust, wait), this.#clock, true)
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** TLS was offered and did not come about. */
class TlsFault extends Fault {}

const refused = (reply: PeerReply): Fault =>
  new Fault('unreachable', `${reply.code} ${reply.status ?? ''} ${reply.text.join(' ')}`)

function reach(endpoint: Endpoint, clock: Clock): Promise<Socket> {
  if ('open' in endpoint) return endpoint.open()
  const place =
    'path' in endpoint ? { path: endpoint.path } : { host: endpoint.ip, port: endpoint.port }
  return dial(place, { clock, timeoutMs: CONNECT_TIMEOUT_MS, what: peerName(endpoint) })
}

/** EHLO or LHLO; HELO where a peer knows neither (RFC 5321 §3.2). */
async function hello(line: Line, greet: Greet): Promise<Map<string, string>> {
  await line.write(`${greet.protocol === 'lmtp' ? 'LHLO' : 'EHLO'} ${greet.helo}\r\n`)
  const reply = await line.reply(COMMAND_TIMEOUT_MS)
  if (reply.code === 250) return offersOf(reply)
  if (reply.code < 500 || reply.code === 521 || greet.protocol === 'lmtp') throw refused(reply)
  await line.write(`HELO ${greet.helo}\r\n`)
  const plain = await line.reply(COMMAND_TIMEOUT_MS)
  if (plain.code !== 250) throw refused(plain)
  return new Map()
}

/** The line under TLS; undefined where the peer would not begin. */
async function startTls(line: Line, name: string): Promise<Line | undefined> {
  await asTls(line.write('STARTTLS\r\n'))
  const go = await asTls(line.reply(COMMAND_TIMEOUT_MS))
  return go.code === 220 ? asTls(line.encrypt(name)) : undefined
}

/** Trouble from STARTTLS on is TLS's: with TLS 1.3 a failed handshake may show only at the next command. */
async function asTls<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown
    throw new TlsFault('protocol', `TLS: ${thrown.message}`, { cause: thrown })
  }
}

function offersOf(reply: PeerReply): Map<string, string> {
  const offers = new Map<string, string>()
  for (const text of reply.text.slice(1)) {
    const [keyword = '', ...parameters] = text.trim().split(/[ \t]+/)
    if (!offers.has(asciiUpper(keyword))) offers.set(asciiUpper(keyword), parameters.join(' '))
  }
  return offers
}
